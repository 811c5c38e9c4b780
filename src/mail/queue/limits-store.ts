/** Mail servers' limits: learned by one worker, saved for all, and sometimes raised to see whether more works. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { bool, float, int, orNull, rowsOf, text } from '../../db/rows.ts'
import { first } from '../../lib/ends.ts'
import { type LearnedLimit, type Limits, noLimits, type Peer } from '../delivery.ts'

const maxConnections = 50
const maxPerMinute = 600_000

const limitsColumns = {
  connections: orNull(int),
  mailsPerConnection: orNull(int),
  perMinute: orNull(float),
  rest: float,
  others: int
}

export interface Share {
  limits: Limits
  others: number
}

export async function readShare(tx: Db, { server, worker }: Peer): Promise<Share> {
  const rows = await rowsOf(tx, limitsColumns)`
    select s.connections, s.mails_per_connection, s.per_minute,
      greatest(0, extract(epoch from s.rest_until - now())) as rest,
      (select count(*) from mail_workers
        where server = ${server} and worker <> ${worker} and seen_at > now() - interval '10 seconds') as others
    from (select 1) one left join mail_servers s on s.server = ${server}`
  const { connections, mailsPerConnection, perMinute, rest, others } = first(rows)
  const share = connections === null ? null : Math.max(1, Math.floor(connections / (1 + others)))
  return { limits: { ...noLimits, connections: share, mailsPerConnection, perMinute, rest }, others }
}

export async function announceWorker(tx: Db, { server, worker, open }: Peer): Promise<void> {
  await tx.execute(sql`
    insert into mail_workers (worker, server, connections) values (${worker}, ${server}, ${open})
    on conflict (worker) do update set server = excluded.server, connections = excluded.connections, seen_at = now()`)
}

/** Raises a limit not met for a while: by one connection if every share is in use, or a quarter more a minute. */
export async function raiseLimits(tx: Db, { server }: Peer): Promise<void> {
  await tx.execute(sql`
    with at_work as (
      select count(*) as workers, sum(connections) as open from mail_workers
      where server = ${server} and seen_at > now() - interval '10 seconds'
    ), due as (
      select server, coalesce(connections_try_at <= now() and connections - connections % workers <= open, false) as is_more,
        coalesce(per_minute_try_at <= now(), false) as is_faster
      from mail_servers cross join at_work where server = ${server}
    )
    update mail_servers s set
      connections = case when is_more then nullif(least(connections, ${maxConnections}) + 1, ${maxConnections + 1}) else connections end,
      connections_refused = case when is_more and connections_raised then 0 else connections_refused end,
      connections_raised = connections_raised or is_more,
      connections_try_at = case when is_more then now() + interval '1 minute' else connections_try_at end,
      per_minute = case when is_faster and per_minute * 1.25 > ${maxPerMinute} then null
        when is_faster then per_minute * 1.25 else per_minute end,
      per_minute_refused = case when is_faster and per_minute_raised then 0 else per_minute_refused end,
      per_minute_raised = per_minute_raised or is_faster,
      per_minute_try_at = case when is_faster then now() + interval '2 minutes' else per_minute_try_at end
    from due where s.server = due.server and (is_more or is_faster)`)
}

/** Each time that a raised limit is refused, the next try comes later. */
export async function saveLimits(tx: Db, peer: Peer, learned: LearnedLimit[]): Promise<void> {
  const { server } = peer
  await announceWorker(tx, peer)
  await tx.execute(sql`insert into mail_servers (server) values (${server}) on conflict do nothing`)
  for (const each of learned) {
    if (each.about === 'at-once') await saveConnections(tx, peer, each.connections)
    else if (each.about === 'connection')
      await tx.execute(sql`update mail_servers set mails_per_connection = ${each.mails} where server = ${server}`)
    else await savePace(tx, server, each)
    if (each.reply)
      await tx.execute(sql`update mail_servers set reply = ${each.reply}, asked_at = now() where server = ${server}`)
  }
}

async function saveConnections(tx: Db, { server, worker }: Peer, connections: number) {
  await tx.execute(sql`
    update mail_servers set
      connections = ${connections} + (select coalesce(sum(connections), 0)::int from mail_workers
        where server = ${server} and worker <> ${worker} and seen_at > now() - interval '10 seconds'),
      connections_refused = least(6, connections_refused + case when connections_raised then 1 else 0 end),
      connections_try_at = now() + interval '30 seconds'
        * power(2, least(6, connections_refused + case when connections_raised then 1 else 0 end)),
      connections_raised = false
    where server = ${server}`)
}

async function savePace(tx: Db, server: string, { perMinute, wait }: LearnedLimit & { about: 'pace' }) {
  await tx.execute(sql`
    update mail_servers set
      per_minute = coalesce(${perMinute}::float8 * greatest(1, (select count(*) from mail_workers
        where server = ${server} and seen_at > now() - interval '10 seconds')), per_minute),
      per_minute_refused = least(6, per_minute_refused + case when per_minute_raised then 1 else 0 end),
      per_minute_try_at = now() + interval '2 minutes'
        * power(2, least(6, per_minute_refused + case when per_minute_raised then 1 else 0 end)),
      per_minute_raised = false, allowance = 0, refilled_at = now() + make_interval(secs => ${wait}),
      rest_until = greatest(rest_until, now() + make_interval(secs => ${wait}))
    where server = ${server}`)
}

export interface Allowed {
  count: number
  waitSeconds: number
  isResting: boolean
}

/** How many of at most `max` emails may be sent now: a token bucket at the learned pace, shared by all workers. */
export async function takeServerAllowance(tx: Db, server: string, max: number): Promise<Allowed> {
  const [row] = await rowsOf(tx, { taken: orNull(int), wait: float, isResting: bool })`
    with refilled as (
      select server, per_minute, rest_until, case when per_minute is not null then least(greatest(1, per_minute / 60), allowance
        + greatest(0, extract(epoch from clock_timestamp() - refilled_at)) * per_minute / 60) end as tokens
      from mail_servers where server = ${server} for update
    ), taken as (
      update mail_servers t set refilled_at = greatest(t.refilled_at, clock_timestamp()),
        allowance = r.tokens - least(floor(r.tokens), ${max}::int)
      from refilled r where t.server = r.server and r.per_minute is not null and coalesce(r.rest_until <= now(), true)
    )
    select coalesce(r.rest_until > now(), false) as is_resting, least(floor(r.tokens), ${max}::int) as taken,
      coalesce(greatest(0, 1 - r.tokens) * 60 / r.per_minute, 0)::float as wait
    from refilled r`
  if (row?.isResting) return { count: 0, waitSeconds: 0, isResting: true }
  if (!row || row.taken === null) return { count: max, waitSeconds: 0, isResting: false }
  return { count: row.taken, waitSeconds: row.wait, isResting: false }
}

export async function returnServerAllowance(tx: Db, server: string, count: number): Promise<void> {
  if (count !== 0)
    await tx.execute(
      sql`update mail_servers set allowance = allowance + ${count} where server = ${server} and per_minute is not null`
    )
}

export interface KnownLimits {
  connections: number | null
  mailsPerConnection: number | null
  perMinute: number | null
  restUntil: Date | null
  reply: string | null
  askedAt: Date
}

const knownColumns = {
  connections: orNull(int),
  mailsPerConnection: orNull(int),
  perMinute: orNull(float),
  restUntil: orNull(text),
  reply: orNull(text),
  askedAt: text
}

export async function readLimits(db: Db, server: string): Promise<KnownLimits | undefined> {
  const [row] = await rowsOf(db, knownColumns)`
    select connections, mails_per_connection, per_minute, reply, asked_at,
      case when rest_until > now() then rest_until end as rest_until
    from mail_servers where server = ${server}`
  if (!row) return undefined
  const restUntil = row.restUntil === null ? null : new Date(row.restUntil)
  return { ...row, restUntil, askedAt: new Date(row.askedAt) }
}

/** Leaves the server's limits to the other workers. */
export async function removeWorker(db: Db, { worker }: Peer): Promise<void> {
  await db.execute(sql`delete from mail_workers where worker = ${worker}`)
}

export async function removeLostWorkers(db: Db): Promise<void> {
  await db.execute(sql`delete from mail_workers where seen_at < now() - interval '1 hour'`)
}
