/** People whose former entry is missing and who have exactly one new entry with their address: a directory was replaced. */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'

export interface Relink {
  personId: number
  formerId: string
  entryId: string
  dn: string
}

/** At most `limit`, by the ids of the people. Only the directory can say whether the former entry is missing. */
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

/** Locks every synced group: each is read again after this. */
export async function lockAllGroups(tx: Db): Promise<void> {
  await tx.execute(sql`select id from directory_groups where stopped_at is null order by id for update`)
}

/** Binds them, those who still have the former entry; ends their sessions. Hold `lockAddresses`. Returns how many. */
export async function relink(tx: Db, relinks: Relink[]): Promise<number> {
  const column = (pick: (each: Relink) => string | number) => sql.param(relinks.map(pick))
  const rows = await tx.execute<{ id: string }>(sql`
    update people p set directory_id = r.entry_id, directory_dn = r.dn, directory_bound_at = now(),
      directory_bound_by = 'admin', directory_trouble = null, directory_trouble_at = null, directory_check_at = null,
      gone_from_directory_at = null, disabled_in_directory_at = null
    from unnest(${column(each => each.personId)}::bigint[], ${column(each => each.formerId)}::text[],
      ${column(each => each.entryId)}::text[], ${column(each => each.dn)}::text[]) as r(id, former, entry_id, dn)
    where p.id = r.id and p.directory_id = r.former
      and not exists (select from people q where q.directory_id = r.entry_id)
    returning p.id`)
  const ids = sql.param(rows.map(({ id }) => Number(id)))
  await tx.execute(sql`delete from sessions where person_id = any(${ids}::bigint[])`)
  await tx.execute(sql`
    update directory_groups set fingerprint = null, next_run_at = least(next_run_at, now()) where stopped_at is null`)
  return rows.length
}
