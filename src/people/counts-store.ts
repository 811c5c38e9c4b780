/** How many people there are of each kind, as sums of what statements added. counts.ts defines the sums. */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, int, oneOf, orNull, rowsOf, text } from '../db/rows.ts'
import { deliveryStates } from '../db/schema.ts'
import { enrollmentNow } from './conditions.ts'
import { type Enrollment, enrollments } from './person.ts'
import type { DeliveryState } from './store.ts'

export interface PeopleCount {
  enrollment: Enrollment
  delivery: DeliveryState | null
  isKept: boolean
  wasInvited: boolean
  wasHandedOver: boolean
  count: number
}

const countColumns = {
  enrollment: oneOf(enrollments),
  delivery: orNull(oneOf(deliveryStates)),
  isKept: bool,
  wasInvited: bool,
  wasHandedOver: bool,
  count: int
}

export async function countPeople(db: Db): Promise<PeopleCount[]> {
  return rowsOf(db, countColumns)`
    select ${enrollmentNow(sql`stage`, sql`expires_at`)} as enrollment, delivery,
      is_kept as "isKept", was_invited as "wasInvited", was_handed_over as "wasHandedOver", sum(people) as count
    from people_counts group by 1, 2, 3, 4, 5 having sum(people) <> 0`
}

export async function compactCounts(tx: Db): Promise<void> {
  const [row] = await rowsOf(tx, { mine: bool })`select pg_try_advisory_xact_lock(hashtext('rollcall:counts')) as mine`
  if (!row?.mine) return
  await tx.execute(sql`
    with gone as (delete from people_counts returning *)
    insert into people_counts (stage, delivery, expires_at, is_kept, was_invited, was_handed_over, people)
    select stage, delivery, expires_at, is_kept, was_invited, was_handed_over, sum(people) from gone
    group by 1, 2, 3, 4, 5, 6 having sum(people) <> 0`)
  await tx.execute(sql`
    with gone as (delete from people_days returning *)
    insert into people_days (day, invited, signed_up)
    select day, sum(invited), sum(signed_up) from gone group by day`)
}

export interface WeeklyTotal {
  until: Date
  invited: number
  joined: number
}

/** Running totals at the end of each of the last `weeks` weeks, of what counts.ts calls invited and joined. */
export async function weeklyTotals(db: Db, weeks: number): Promise<WeeklyTotal[]> {
  const rows = await rowsOf(db, { until: text, invited: int, joined: int })`
    with ends as (
      select now() - make_interval(weeks => w) as until from generate_series(${weeks - 1}::int, 0, -1) w
    )
    select e.until, coalesce(sum(d.invited), 0) as invited, coalesce(sum(d.signed_up), 0) as joined
    from ends e left join people_days d on d.day <= (e.until at time zone 'UTC')::date
    group by e.until order by e.until`
  return rows.map(row => ({ ...row, until: new Date(row.until) }))
}
