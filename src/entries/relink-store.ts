/** People with a missing entry and exactly one new entry with their address: the directory was replaced. */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import type { Relink } from '../people/entry-store.ts'

/** At most `limit`, by id. Only the directory can say whether the former entry is missing. */
export async function relinksWaiting(db: Db, limit: number): Promise<Relink[]> {
  const rows = await db.execute<{ id: string; former: string; entry_id: string; dn: string }>(sql`
    with waiting as (
      select p.id, p.directory_id as former, min(l.directory_id) as entry_id, min(l.dn) as dn
      from left_out l join directory_groups g on g.id = l.group_id join people p on p.id = l.person_id
      where l.reason = 'taken' and g.stopped_at is null and p.directory_id is not null and p.deactivated_at is null
      group by p.id having count(distinct l.directory_id) = 1
    )
    select w.* from waiting w where not exists (select from people q where q.directory_id = w.entry_id)
    order by w.id limit ${limit}`)
  return rows.map(({ id, former, entry_id: entryId, dn }) => ({ personId: Number(id), formerId: former, entryId, dn }))
}
