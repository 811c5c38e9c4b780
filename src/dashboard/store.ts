import { desc, eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { batches, batchStates, deliveries, deliveryStates } from '../db/schema.ts'

interface StateCount {
  state: string
  count: number
}

/** Mails and batches by state, every state named. */
export async function countStates(db: Db): Promise<{ deliveries: StateCount[]; batches: StateCount[] }> {
  const count = sql<number>`count(*)::int`
  const [mails, jobs] = await Promise.all([
    db.select({ state: deliveries.state, count }).from(deliveries).groupBy(deliveries.state),
    db.select({ state: batches.state, count }).from(batches).groupBy(batches.state)
  ])
  return { deliveries: everyState(deliveryStates, mails), batches: everyState(batchStates, jobs) }
}

function everyState(states: readonly string[], found: StateCount[]): StateCount[] {
  return states.map(state => ({ state, count: found.find(row => row.state === state)?.count ?? 0 }))
}

export interface WeekTotal {
  until: Date
  invited: number
  signedUp: number
}

/** Running totals at the end of each of the last `weeks` weeks: people ever invited, people signed up. */
export async function weeklyTotals(db: Db, weeks: number): Promise<WeekTotal[]> {
  const rows = await db.execute<{ until: string; invited: string; signed_up: string }>(sql`
    with first_offers as (
      select min(created_at) as at from invitations group by person_id
    ), ends as (
      select now() - make_interval(weeks => w) as until from generate_series(${weeks - 1}::int, 0, -1) w
    )
    select e.until, (select count(*) from first_offers f where f.at <= e.until) as invited,
      (select count(*) from people p where p.signed_up_at <= e.until and p.invitation_id is not null) as signed_up
    from ends e order by e.until`)
  return rows.map(row => ({
    until: new Date(row.until),
    invited: Number(row.invited),
    signedUp: Number(row.signed_up)
  }))
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
