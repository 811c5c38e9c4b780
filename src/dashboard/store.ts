import { and, desc, eq, or, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { batches, batchStates, deliveries, deliveryStates, people } from '../db/schema.ts'

interface StateCount {
  state: string
  count: number
}

/** Mails and batches by state, every state named: sums that batches keep, and the few mails without a batch. */
export async function countStates(db: Db): Promise<{ deliveries: StateCount[]; batches: StateCount[] }> {
  const [mails, jobs] = await Promise.all([
    db.execute<{ state: string; count: string }>(sql`
      select state, sum(n) as count from (
        select m.state, m.n from batches b cross join lateral (values
          ('queued', mails_queued), ('sending', mails_sending), ('sent', mails_sent), ('deferred', mails_deferred),
          ('failed', mails_failed), ('unknown', mails_unknown), ('bounced', mails_bounced),
          ('suppressed', mails_suppressed), ('cancelled', mails_cancelled)
        ) as m(state, n)
        union all select state, count(*) from deliveries where batch_id is null group by state
      ) all_mails group by state`),
    db.select({ state: batches.state, count: sql<number>`count(*)::int` }).from(batches).groupBy(batches.state)
  ])
  const counted = mails.map(row => ({ state: row.state, count: Number(row.count) }))
  return { deliveries: everyState(deliveryStates, counted), batches: everyState(batchStates, jobs) }
}

function everyState(states: readonly string[], found: StateCount[]): StateCount[] {
  return states.map(state => ({ state, count: found.find(row => row.state === state)?.count ?? 0 }))
}

/** Batches that Rollcall stopped, and uploads that were cut in the last week; the newest first. */
export async function troubledBatches(db: Db, limit: number) {
  const isStopped = eq(batches.state, 'stopped')
  const isCut = and(eq(batches.state, 'incomplete'), sql`${batches.createdAt} > now() - interval '7 days'`)
  const rows = await db
    .select({ batch: batches, creatorName: people.name })
    .from(batches)
    .leftJoin(people, eq(people.id, batches.createdBy))
    .where(or(isStopped, isCut))
    .orderBy(desc(batches.id))
    .limit(limit)
  return rows.map(({ batch, creatorName }) => ({ ...batch, creatorName }))
}

/** One person's mails, the newest first. */
export async function deliveriesOf(db: Db, personId: number) {
  const {
    id,
    kind,
    invitationId,
    batchId,
    state,
    attempts,
    serverReply,
    mayHaveArrived,
    queuedAt,
    settledAt,
    nextAttemptAt
  } = deliveries
  return db
    .select({
      id,
      kind,
      invitationId,
      batchId,
      state,
      attempts,
      serverReply,
      mayHaveArrived,
      queuedAt,
      settledAt,
      nextAttemptAt
    })
    .from(deliveries)
    .where(eq(deliveries.personId, personId))
    .orderBy(desc(deliveries.id))
    .limit(200)
}
