import { count, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { float, int, orNull, rowsOf, text } from '../db/rows.ts'
import { batches, batchStates, deliveryStates } from '../db/schema.ts'

export interface StateCount {
  state: string
  count: number
}

/** Every state is named: sums that batches keep, and the few emails without a batch. */
export async function countStates(db: Db): Promise<{ deliveries: StateCount[]; batches: StateCount[] }> {
  const [counted, jobs] = await Promise.all([
    rowsOf(db, { state: text, count: int })`
      select state, sum(n) as count from (
        select m.state, m.n from batches b cross join lateral (values
          ('queued', mails_queued), ('sending', mails_sending), ('held', mails_held), ('sent', mails_sent),
          ('deferred', mails_deferred), ('failed', mails_failed), ('unknown', mails_unknown), ('bounced', mails_bounced),
          ('suppressed', mails_suppressed), ('cancelled', mails_cancelled)
        ) as m(state, n)
        union all select state, count(*) from deliveries where batch_id is null group by state
      ) all_mails group by state`,
    db.select({ state: batches.state, count: count() }).from(batches).groupBy(batches.state)
  ])
  return { deliveries: everyState(deliveryStates, counted), batches: everyState(batchStates, jobs) }
}

/** How long the email that was due first has waited, over every batch that may send; 0 when none is due. */
export async function secondsOverdue(db: Db): Promise<number> {
  const waiting = sql`state in ('queued', 'deferred') order by next_attempt_at limit 1`
  const [row] = await rowsOf(db, { seconds: orNull(float) })`
    select extract(epoch from now() - min(due)) as seconds from (
      select (select next_attempt_at from deliveries where batch_id = b.id and priority = p and ${waiting}) as due
      from batches b cross join (values (0), (1)) as priorities(p)
      where b.state in ('checking', 'sending') and b.mails_queued + b.mails_deferred > 0
      union all
      select (select next_attempt_at from deliveries where batch_id is null and priority = p and ${waiting})
      from (values (0), (1)) as priorities(p)
    ) first_ones`
  return Math.max(0, Math.round(row?.seconds ?? 0))
}

function everyState(states: readonly string[], found: StateCount[]): StateCount[] {
  return states.map(state => ({ state, count: found.find(row => row.state === state)?.count ?? 0 }))
}
