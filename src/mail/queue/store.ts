import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, rowsOf } from '../../db/rows.ts'
import { propagateStates } from '../copies-store.ts'
import type { Claimed, Settlement } from '../delivery.ts'

/** Short lock timeout: requests rarely wait. Index order: with old statistics the planner would sort everything. */
export async function applyWorkerSettings(tx: Db): Promise<void> {
  await tx.execute(sql`select set_config('lock_timeout', '500ms', true), set_config('enable_sort', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`)
}

/** Writes outcomes under leases that are still ours. What would be retried too late (3 days, or `until`) has failed. */
export async function writeOutcomes(tx: Db, settlements: Settlement[]): Promise<void> {
  const rows = settlements.map(({ delivery, ...s }) => ({ ...s, id: delivery.id, attempt: delivery.attempt }))
  await tx.execute(sql`
    with finished as (
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
      from finished e where d.id = e.id and d.lease_until is not null and d.attempts = e.attempt
      returning d.id, d.person_id, d.batch_id, d.state, d.is_kept, e.reply, e.suppress
    ), ${propagateStates(fromSending)}, suppressed as (
      insert into suppressions (address_key, cause, server_reply)
      select p.address_key, 'bounced', c.reply from changed c join people p on p.id = c.person_id where c.suppress
      on conflict do nothing
    )
    select 1`)
}

export async function renewLeases(db: Db, deliveries: Claimed[], leaseSeconds: number): Promise<void> {
  const [ids, attempts] = [deliveries.map(({ id }) => id), deliveries.map(({ attempt }) => attempt)]
  await db.execute(sql`
    update deliveries d set lease_until = now() + make_interval(secs => ${leaseSeconds})
    from unnest(${sql.param(ids)}::bigint[], ${sql.param(attempts)}::int[]) as held(id, attempt)
    where d.id = held.id and d.attempts = held.attempt and d.lease_until is not null`)
}

/** Requeues deliveries with expired leases; returns how many. After a database restart they get ten seconds more. */
export async function releaseExpired(tx: Db): Promise<number> {
  const rows = await tx.execute(sql`
    with expired as (
      select id from deliveries where state = 'sending' and lease_until < now()
        and (lease_until > pg_postmaster_start_time() or pg_postmaster_start_time() < now() - interval '10 seconds')
      order by id limit 5000 for update skip locked
    ), changed as (
      update deliveries d set state = 'queued', lease_until = null, may_have_arrived = true, next_attempt_at = now()
      from expired where d.id = expired.id returning d.id, d.person_id, d.batch_id, d.state, d.is_kept
    ), ${propagateStates(fromSending)}
    select id from changed`)
  return rows.length
}

export async function findHeldBatches(db: Db, batchIds: number[]): Promise<number[]> {
  const rows = await rowsOf(db, { id: int })`
    select id from batches where id = any(${sql.param(batchIds)}::bigint[]) and state not in ('checking', 'sending')`
  return rows.map(row => row.id)
}

const fromSending = sql`'sending'`
