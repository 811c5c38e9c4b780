/** The table of synced groups, in several orders, a page at a time; ten thousand are as fast as ten. */
import { isNull, max, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, rowsOf } from '../../db/rows.ts'
import { directoryGroups } from '../../db/schema.ts'
import { first } from '../../lib/ends.ts'
import { findGroups, type ListedGroup } from '../../sync/store.ts'

export const orders = ['name', 'members', 'sync'] as const
export type Order = (typeof orders)[number]

/** Without the id. Groups that were read longest ago, or never, come first. */
const keyOf: Record<Order, SQL> = {
  name: sql`lower(g.name)`,
  members: sql`-g.member_count`,
  sync: sql`coalesce(g.last_good_at, 'epoch')`
}

export async function listSynced(
  db: Db,
  order: Order,
  limit: number,
  after: number | null = null
): Promise<ListedGroup[]> {
  const key = keyOf[order]
  const isLater =
    after === null
      ? sql`true`
      : sql`(${key}, g.id) > (select ${key}, g.id from directory_groups g where g.id = ${after}::bigint)`
  const rows = await rowsOf(db, { id: int })`
    select g.id from directory_groups g where g.stopped_at is null and ${isLater} order by ${key}, g.id limit ${limit}`
  return findGroups(
    db,
    rows.map(({ id }) => id)
  )
}

export async function countSynced(db: Db): Promise<{ groups: number; members: number; running: number }> {
  return first(
    await rowsOf(db, { groups: int, members: int, running: int })`
    select count(*) as groups, coalesce(sum(member_count), 0) as members,
      (select count(*) from sync_runs where state = 'running') as running
    from directory_groups where stopped_at is null`
  )
}

export async function newestGoodRead(db: Db): Promise<Date | null> {
  const { lastGoodAt, stoppedAt } = directoryGroups
  const row = first(
    await db
      .select({ at: max(lastGoodAt) })
      .from(directoryGroups)
      .where(isNull(stoppedAt))
  )
  return row.at
}
