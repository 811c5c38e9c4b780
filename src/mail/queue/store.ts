/** The worker's statements on deliveries that it holds. Copies on people and batches move along. */
import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import type { Claimed, Settlement } from '../delivery.ts'

/**
 * In a worker's transaction: rather give up than make somebody's request wait for us, or deadlock with it. And take
 * mails in the order of their index: to statistics that lag behind, sorting all that is due looks just as cheap.
 */
export async function waitBriefly(tx: Db): Promise<void> {
  await tx.execute(sql`select set_config('lock_timeout', '500ms', true), set_config('enable_sort', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`)
}

/**
 * Writes how attempts ended, for the leases that are still ours. What would be tried again too late (three days after
 * queueing, or after `until`) has failed. A batch of which nothing is open any more is done.
 */
export async function settle(tx: Db, settlements: Settlement[]): Promise<void> {
  const rows = settlements.map(({ delivery, ...s }) => ({ ...s, id: delivery.id, attempt: delivery.attempt }))
  await tx.execute(sql`
    with ended as (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as x(id bigint, attempt int, state text,
        reply text, wait float8, "isUncounted" bool, "isKept" bool, "mayHaveArrived" bool, suppress bool, until timestamptz)
    ), changed as (
      update deliveries d set
        state = case when e.state = 'deferred'
          and now() + make_interval(secs => e.wait) > least(d.queued_at + interval '3 days', e.until) then 'failed' else e.state end,
        server_reply = coalesce(e.reply, d.server_reply),
        attempts = d.attempts - case when e."isUncounted" then 1 else 0 end,
        next_attempt_at = case when e.state in ('queued', 'deferred') then now() + make_interval(secs => e.wait) else d.next_attempt_at end,
        may_have_arrived = d.may_have_arrived or e."mayHaveArrived", is_kept = e."isKept",
        lease_until = null,
        settled_at = case when e.state in ('queued', 'deferred') then null else now() end
      from ended e where d.id = e.id and d.lease_until is not null and d.attempts = e.attempt
      returning d.id, d.person_id, d.batch_id, d.state, d.is_kept, e.reply, e.suppress
    ), ${moveAlong(fromSending)}, suppressed as (
      insert into suppressions (address_key, cause, server_reply)
      select p.address_key, 'bounced', c.reply from changed c join people p on p.id = c.person_id where c.suppress
      on conflict do nothing
    )
    select 1`)
}

/** These mails are still on their way: they stay ours. */
export async function renewLeases(db: Db, deliveries: Claimed[], leaseSeconds: number): Promise<void> {
  const [ids, attempts] = [deliveries.map(({ id }) => id), deliveries.map(({ attempt }) => attempt)]
  await db.execute(sql`
    update deliveries d set lease_until = now() + make_interval(secs => ${leaseSeconds})
    from unnest(${sql.param(ids)}::bigint[], ${sql.param(attempts)}::int[]) as held(id, attempt)
    where d.id = held.id and d.attempts = held.attempt and d.lease_until is not null`)
}

/** Says on their people that these mails are on their way. For every mail that would cost as much as all that it says later. */
export async function showOnTheirWay(db: Db, deliveries: Claimed[]): Promise<void> {
  const [ids, attempts] = [deliveries.map(({ id }) => id), deliveries.map(({ attempt }) => attempt)]
  await db.execute(sql`
    with going as (
      select d.id, d.person_id from deliveries d
      join unnest(${sql.param(ids)}::bigint[], ${sql.param(attempts)}::int[]) as held(id, attempt) on held.id = d.id
      where d.attempts = held.attempt and d.state = 'sending' order by d.id for share of d
    )
    update people p set delivery_state = 'sending' from going where p.id = going.person_id and p.delivery_id = going.id`)
}

/**
 * Leases that ran out: their worker is gone, and what it sent nobody knows. Due again at once. Returns how many. What ran
 * out while the database was away waits a moment longer: its worker may live, and know.
 */
export async function releaseExpired(tx: Db): Promise<number> {
  const rows = await tx.execute(sql`
    with expired as (
      select id from deliveries where state = 'sending' and lease_until < now()
        and (lease_until > pg_postmaster_start_time() or pg_postmaster_start_time() < now() - interval '10 seconds')
      order by id limit 5000 for update skip locked
    ), changed as (
      update deliveries d set state = 'queued', lease_until = null, may_have_arrived = true, next_attempt_at = now()
      from expired where d.id = expired.id returning d.id, d.person_id, d.batch_id, d.state, d.is_kept
    ), ${moveAlong(fromSending)}
    select id from changed`)
  return rows.length
}

/** Which of these batches must not send at the moment: paused, stopped or cancelled. */
export async function heldAmong(db: Db, batchIds: number[]): Promise<number[]> {
  const rows = await db.execute<{ id: string }>(
    sql`select id from batches where id = any(${sql.param(batchIds)}::bigint[]) and state not in ('checking', 'sending')`
  )
  return rows.map(row => Number(row.id))
}

/** Holds a batch: the server refuses its mails one like the other. False when it was held already. */
export async function stopBatch(tx: Db, batchId: number, reason: string): Promise<boolean> {
  const rows = await tx.execute(sql`
    update batches set state = 'stopped', stop_reason = ${reason}
    where id = ${batchId} and state in ('checking', 'sending') returning id`)
  return rows.length > 0
}

/** The column of batches that counts each state. */
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

/**
 * Carries the new states of `changed` over to people and to the counts of the batches; `was` is the state before. A kept
 * mail that is sent after all has `was_kept`.
 */
export function moveAlong(was: SQL, wasKept = sql`false`): SQL {
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

const fromSending = sql`'sending'`
