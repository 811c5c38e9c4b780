/** What mail servers were found to allow: learned by one worker, kept for all, tried for more now and then. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { type LearnedLimit, type Limits, noLimits, type Peer } from '../delivery.ts'

/** A limit beyond these is none. */
const mostConnections = 50
const mostPerMinute = 600_000

interface LimitsRow extends Record<string, unknown> {
  connections: number | null
  mails_per_connection: number | null
  per_minute: number | null
  rest: number
  others: number
}

/** What holds for one of several workers, and how many others are sending. */
export interface Share {
  limits: Limits
  others: number
}

/** What this worker may use. */
export async function shareLimits(tx: Db, { server, worker }: Peer): Promise<Share> {
  const [row] = await tx.execute<LimitsRow>(sql`
    select s.connections, s.mails_per_connection, s.per_minute,
      greatest(0, extract(epoch from s.rest_until - now()))::float as rest,
      (select count(*) from mail_workers
        where server = ${server} and worker <> ${worker} and seen_at > now() - interval '10 seconds')::int as others
    from (select 1) one left join mail_servers s on s.server = ${server}`)
  const { connections, mails_per_connection: mailsPerConnection, per_minute: perMinute, rest, others } = row!
  const share = connections === null ? null : Math.max(1, Math.floor(connections / (1 + others)))
  return { limits: { ...noLimits, connections: share, mailsPerConnection, perMinute, rest: rest ?? 0 }, others }
}

async function showAtWork(tx: Db, { server, worker, open }: Peer) {
  await tx.execute(sql`
    insert into mail_workers (worker, server, connections) values (${worker}, ${server}, ${open})
    on conflict (worker) do update set server = excluded.server, connections = excluded.connections, seen_at = now()`)
}

/**
 * Shows the others that this worker is sending. A limit that has not been met for a while is raised a little: one
 * connection more, where each worker has opened its whole share, or a quarter more mails a minute.
 */
export async function beAtWork(tx: Db, peer: Peer): Promise<void> {
  const { server } = peer
  await showAtWork(tx, peer)
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
      connections = case when is_more then nullif(least(connections, ${mostConnections}) + 1, ${mostConnections + 1}) else connections end,
      connections_refused = case when is_more and connections_raised then 0 else connections_refused end,
      connections_raised = connections_raised or is_more,
      connections_try_at = case when is_more then now() + interval '1 minute' else connections_try_at end,
      per_minute = case when is_faster and per_minute * 1.25 > ${mostPerMinute} then null
        when is_faster then per_minute * 1.25 else per_minute end,
      per_minute_refused = case when is_faster and per_minute_raised then 0 else per_minute_refused end,
      per_minute_raised = per_minute_raised or is_faster,
      per_minute_try_at = case when is_faster then now() + interval '2 minutes' else per_minute_try_at end
    from due where s.server = due.server and (is_more or is_faster)`)
}

/** Writes what the server asked for. More is tried later each time that it was refused. */
export async function keepAsked(tx: Db, peer: Peer, asked: LearnedLimit[]): Promise<void> {
  const { server } = peer
  await showAtWork(tx, peer)
  await tx.execute(sql`insert into mail_servers (server) values (${server}) on conflict do nothing`)
  for (const each of asked) {
    if (each.about === 'at-once') await keepConnections(tx, peer, each.connections)
    else if (each.about === 'connection')
      await tx.execute(sql`update mail_servers set mails_per_connection = ${each.mails} where server = ${server}`)
    else await keepPace(tx, server, each)
    if (each.reply)
      await tx.execute(sql`update mail_servers set reply = ${each.reply}, asked_at = now() where server = ${server}`)
  }
}

async function keepConnections(tx: Db, { server, worker }: Peer, connections: number) {
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

async function keepPace(tx: Db, server: string, { perMinute, wait }: LearnedLimit & { about: 'pace' }) {
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
  /** Seconds until one more may go; 0 when there is no such limit. */
  wait: number
  /** Nothing at all may go until the server's rest is over. */
  isResting: boolean
}

/** How many of at most `most` mails the server may get now: a bucket that the learned pace fills, shared by all workers. */
export async function takeServerAllowance(tx: Db, server: string, most: number): Promise<Allowed> {
  const [row] = await tx.execute<{ taken: number | null; wait: number; is_resting: boolean }>(sql`
    with refilled as (
      select server, per_minute, rest_until, case when per_minute is not null then least(greatest(1, per_minute / 60), allowance
        + greatest(0, extract(epoch from clock_timestamp() - refilled_at)) * per_minute / 60) end as tokens
      from mail_servers where server = ${server} for update
    ), taken as (
      update mail_servers t set refilled_at = greatest(t.refilled_at, clock_timestamp()),
        allowance = r.tokens - least(floor(r.tokens), ${most}::int)
      from refilled r where t.server = r.server and r.per_minute is not null and coalesce(r.rest_until <= now(), true)
    )
    select coalesce(r.rest_until > now(), false) as is_resting, least(floor(r.tokens), ${most}::int)::int as taken,
      coalesce(greatest(0, 1 - r.tokens) * 60 / r.per_minute, 0)::float as wait
    from refilled r`)
  if (!row) return { count: most, wait: 0, isResting: false }
  if (row.is_resting) return { count: 0, wait: 0, isResting: true }
  return row.taken === null
    ? { count: most, wait: 0, isResting: false }
    : { count: row.taken, wait: row.wait, isResting: false }
}

/** Gives back what was allowed and not used. */
export async function returnServerAllowance(tx: Db, server: string, count: number): Promise<void> {
  if (count !== 0)
    await tx.execute(
      sql`update mail_servers set allowance = allowance + ${count} where server = ${server} and per_minute is not null`
    )
}

/** What is known of a server, for people to read; undefined when it never asked for anything. */
export interface KnownLimits {
  connections: number | null
  mailsPerConnection: number | null
  perMinute: number | null
  restUntil: Date | null
  reply: string | null
  askedAt: Date
}

export async function readLimits(db: Db, server: string): Promise<KnownLimits | undefined> {
  const [row] = await db.execute<Record<string, unknown>>(sql`
    select connections, mails_per_connection, per_minute, reply, asked_at,
      case when rest_until > now() then rest_until end as rest_until
    from mail_servers where server = ${server}`)
  if (!row) return undefined
  return {
    connections: row.connections as number | null,
    mailsPerConnection: row.mails_per_connection as number | null,
    perMinute: row.per_minute as number | null,
    restUntil: row.rest_until === null ? null : new Date(row.rest_until as string),
    reply: row.reply as string | null,
    askedAt: new Date(row.asked_at as string)
  }
}

/** This worker has ended: what a server allows is the others'. */
export async function leaveServer(db: Db, { worker }: Peer): Promise<void> {
  await db.execute(sql`delete from mail_workers where worker = ${worker}`)
}

/** Forgets workers that ended long ago. */
export async function forgetWorkers(db: Db): Promise<void> {
  await db.execute(sql`delete from mail_workers where seen_at < now() - interval '1 hour'`)
}
