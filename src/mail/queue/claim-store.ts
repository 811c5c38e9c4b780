import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { bool, int, oneOf, orNull, rowsOf, text } from '../../db/rows.ts'
import type { Leased } from '../copies-store.ts'
import type { Claimed } from '../delivery.ts'

const chosenOf = (max: number) => sql`
  open_batch as materialized (
    select id, mails_queued from batches
    where state in ('checking', 'sending') and mails_queued + mails_deferred > 0
  ), single as (
    select id, state, priority from deliveries
    where batch_id is null and state in ('queued', 'deferred') and next_attempt_at <= now()
    order by priority, next_attempt_at limit ${max} for update skip locked
  ), shared as (
    select d.id, d.state, d.priority from open_batch b cross join lateral (
      select id, state, priority from deliveries
      where batch_id = b.id and state in ('queued', 'deferred') and next_attempt_at <= now()
      order by priority, next_attempt_at
      limit (select greatest(${Math.min(10, max)}, ${max} / greatest(1, count(*) filter (where mails_queued > 0))) from open_batch)
      for update skip locked
    ) d
  ), chosen as (
    select id, state from (select * from single union all select * from shared) due order by priority limit ${max + (max >> 1)}
  )`

/** Leases about `max` due deliveries, an equal share of every batch. Call `countLeased` at the transaction's end. */
export async function claimDue(
  tx: Db,
  max: number,
  leaseSeconds: number,
  mailHost: string
): Promise<{ claimed: Claimed[]; leased: Leased[] }> {
  const rows = await rowsOf(tx, claimedColumns)`
    with ${chosenOf(max)}, leased as (
      update deliveries d set state = 'sending', attempts = attempts + 1,
        lease_until = now() + make_interval(secs => ${leaseSeconds}),
        message_id = coalesce(message_id, d.id || '.' || replace(gen_random_uuid()::text, '-', '') || '@' || ${mailHost}::text)
      from chosen where d.id = chosen.id
      returning d.id, d.kind, d.person_id, d.invitation_id, d.batch_id, d.address, d.priority, d.attempts as attempt,
        d.may_have_arrived, d.message_id, chosen.state as was
    )
    select * from leased order by priority, id`
  const byBatch = Map.groupBy(rows, row => row.batchId)
  const leased = [...byBatch].flatMap(([batchId, mine]) => {
    const queued = mine.filter(row => row.was === 'queued').length
    return batchId === null ? [] : [{ batchId, queued, deferred: mine.length - queued }]
  })
  return { claimed: rows.map(({ was, ...claimed }) => claimed), leased }
}

const claimedColumns = {
  was: oneOf(['queued', 'deferred']),
  id: int,
  kind: text,
  personId: int,
  invitationId: orNull(int),
  batchId: orNull(int),
  address: text,
  priority: int,
  attempt: int,
  mayHaveArrived: bool,
  messageId: text
}
