import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, rowsOf } from '../db/rows.ts'
import type { Claimed } from './delivery.ts'

export const counters = {
  queued: sql`mails_queued`,
  sending: sql`mails_sending`,
  held: sql`mails_held`,
  sent: sql`mails_sent`,
  deferred: sql`mails_deferred`,
  failed: sql`mails_failed`,
  unknown: sql`mails_unknown`,
  bounced: sql`mails_bounced`,
  suppressed: sql`mails_suppressed`,
  cancelled: sql`mails_cancelled`
}

/** Copies new states. `was`: the state before; `wasKept`: it was in the outbox and is sent after all. */
export function propagateStates(was: SQL, wasKept = sql`false`): SQL {
  const columns = Object.entries(counters)
  const deltas = columns.map(
    ([state, column]) =>
      sql`count(*) filter (where state = ${state}) - count(*) filter (where ${was} = ${state}) as ${column}`
  )
  const kept = sql`count(*) filter (where state = 'sent' and is_kept) - count(*) filter (where ${wasKept}) as mails_kept`
  const sums = [...columns.map(([, column]) => column), sql`mails_kept`].map(
    column => sql`${column} = b.${column} + m.${column}`
  )
  const open = [counters.queued, counters.sending, counters.held, counters.deferred].map(
    column => sql`b.${column} + m.${column}`
  )
  const isOver = sql`b.state = 'sending' and ${sql.join(open, sql` + `)} = 0`
  return sql`moved as (
      select batch_id, ${sql.join([...deltas, kept], sql`, `)} from changed where batch_id is not null group by batch_id order by batch_id
    ), person as (
      update people p set delivery_state = c.state, delivery_is_kept = c.is_kept,
        was_handed_over = p.was_handed_over or (c.state = 'sent' and not c.is_kept)
      from changed c where p.id = c.person_id and p.delivery_id = c.id
    ), counted as (
      update batches b set ${sql.join(sums, sql`, `)},
        state = case when ${isOver} then 'done' else b.state end,
        finished_at = case when ${isOver} then now() else b.finished_at end
      from moved m where b.id = m.batch_id
    )`
}

export const newestIs = (deliveryId: SQL) => sql`delivery_id = ${deliveryId}, delivery_state = 'queued'`

/** Copies a queued email to its person and its batch, which is sending again if it was done. */
export const copyQueued = (deliveryId: SQL, personId: number, batchId: number | null): SQL => sql`person as (
      update people set ${newestIs(deliveryId)} where id = ${personId}
    ), batch as (
      update batches set mails_queued = mails_queued + 1, state = case when state = 'done' then 'sending' else state end,
        finished_at = case when state = 'done' then null else finished_at end
      where id = ${batchId}
    )`

/** Marks the people of these deliveries as being sent to. Only for slow emails: for all, it would double the writes. */
export async function showSending(db: Db, deliveries: Claimed[]): Promise<void> {
  const [ids, attempts] = [deliveries.map(({ id }) => id), deliveries.map(({ attempt }) => attempt)]
  await db.execute(sql`
    with slow as (
      select d.id, d.person_id from deliveries d
      join unnest(${sql.param(ids)}::bigint[], ${sql.param(attempts)}::int[]) as held(id, attempt) on held.id = d.id
      where d.attempts = held.attempt and d.state = 'sending' order by d.id for share of d
    )
    update people p set delivery_state = 'sending' from slow where p.id = slow.person_id and p.delivery_id = slow.id`)
}

export interface Leased {
  batchId: number
  queued: number
  deferred: number
}

/** Last in its transaction: other workers that write outcomes wait for the batch's row until the commit. */
export async function countLeased(tx: Db, leased: Leased[]): Promise<void> {
  if (leased.length === 0) return
  await tx.execute(sql`
    update batches b set mails_sending = mails_sending + l.queued + l.deferred, mails_queued = mails_queued - l.queued,
      mails_deferred = mails_deferred - l.deferred
    from json_to_recordset(${JSON.stringify(leased)}::text::json) as l("batchId" bigint, queued int, deferred int)
    where b.id = l."batchId"`)
}

export async function reopenBatch(tx: Db, batchId: number): Promise<void> {
  await tx.execute(sql`
    update batches set state = 'sending', finished_at = null where id = ${batchId} and state = 'done'`)
}

/** False when the batch was paused, stopped or canceled already. */
export async function stopBatch(tx: Db, batchId: number, reason: string): Promise<boolean> {
  const rows = await tx.execute(sql`
    update batches set state = 'stopped', stop_reason = ${reason}
    where id = ${batchId} and state in ('checking', 'sending') returning id`)
  return rows.length > 0
}

export async function stopJudging(tx: Db, reason: string): Promise<number[]> {
  const rows = await rowsOf(tx, { id: int })`
    update batches set state = 'stopped', stop_reason = ${reason}, lease_until = null
    where state = 'checking' and action = 'send' returning id`
  return rows.map(row => row.id)
}
