import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { bool, float, int, orNull, rowsOf } from '../../db/rows.ts'
import { first } from '../../lib/ends.ts'

export type GateState = 'open' | 'probe' | 'shut'

/** Closed in a copy (origin.ts). While paused, one worker may try one email every 30 s; this call takes that turn. */
export async function passGate(tx: Db): Promise<GateState> {
  const rows = await rowsOf(tx, { paused: bool, held: bool })`
    select exists (select from mail_transport where id = 1 and paused_since is not null) as paused,
      exists (select from mail_origin where held_since is not null) as held`
  const { held, paused } = first(rows)
  if (held) return 'shut'
  if (!paused) return 'open'
  const turn = await tx.execute(sql`
    update mail_transport set next_probe_at = now() + interval '30 seconds'
    where id = 1 and paused_since is not null and coalesce(next_probe_at, now()) <= now() returning id`)
  return turn.length > 0 ? 'probe' : 'shut'
}

export interface Pacing {
  /** By all workers together; null: no limit. */
  perSecond: number | null
  /** For each recipient domain, by each worker. */
  perDomain: number | null
}

export async function readPacing(db: Db): Promise<Pacing> {
  const [row] = await rowsOf(db, { perSecond: orNull(float), perDomain: orNull(float) })`
    select per_second, per_domain_per_second as per_domain from mail_transport where id = 1`
  return row ?? { perSecond: null, perDomain: null }
}

export async function writePacing(tx: Db, { perSecond, perDomain }: Pacing): Promise<void> {
  await tx.execute(sql`
    insert into mail_transport (id, per_second, per_domain_per_second) values (1, ${perSecond}, ${perDomain})
    on conflict (id) do update set per_second = excluded.per_second, per_domain_per_second = excluded.per_domain_per_second`)
}

/** How many of at most `max` emails may be claimed now: a token bucket of one second, shared by all workers. */
export async function takeAllowance(tx: Db, max: number): Promise<number> {
  const [row] = await rowsOf(tx, { taken: int })`
    with refilled as (
      select id, least(per_second, allowance + extract(epoch from clock_timestamp() - refilled_at) * per_second) as tokens
      from mail_transport where id = 1 and per_second is not null for update
    )
    update mail_transport t set refilled_at = clock_timestamp(), allowance = r.tokens - least(floor(r.tokens), ${max}::int)
    from refilled r where t.id = r.id returning least(floor(r.tokens), ${max}::int) as taken`
  return row?.taken ?? max
}

export async function returnAllowance(tx: Db, count: number): Promise<void> {
  if (count !== 0)
    await tx.execute(
      sql`update mail_transport set allowance = allowance + ${count} where id = 1 and per_second is not null`
    )
}

export async function pauseTransport(tx: Db, reason: string): Promise<void> {
  await tx.execute(sql`
    insert into mail_transport (id, paused_since, next_probe_at, reason) values (1, now(), now() + interval '30 seconds', ${reason})
    on conflict (id) do update set paused_since = coalesce(mail_transport.paused_since, now()),
      next_probe_at = excluded.next_probe_at, reason = excluded.reason`)
}

export async function resumeTransport(tx: Db): Promise<void> {
  await tx.execute(sql`update mail_transport set paused_since = null, next_probe_at = null, reason = null where id = 1`)
}
