/** People with a missing entry and exactly one new entry with their address: the directory was replaced. */
import type { Db } from '../db/client.ts'
import { int, rowsOf, text } from '../db/rows.ts'
import type { Relink } from '../people/entry-store.ts'

/** At most `limit`, by id. Only the directory can say whether the former entry is missing. */
export async function relinksWaiting(db: Db, limit: number): Promise<Relink[]> {
  return rowsOf(db, { personId: int, formerId: text, entryId: text, dn: text })`
    with waiting as (
      select p.id as person_id, p.directory_id as former_id, min(l.directory_id) as entry_id, min(l.dn) as dn
      from left_out l join directory_groups g on g.id = l.group_id join people p on p.id = l.person_id
      where l.reason = 'taken' and g.stopped_at is null and p.directory_id is not null and p.deactivated_at is null
      group by p.id having count(distinct l.directory_id) = 1
    )
    select w.* from waiting w where not exists (select from people q where q.directory_id = w.entry_id)
    order by w.person_id limit ${limit}`
}
