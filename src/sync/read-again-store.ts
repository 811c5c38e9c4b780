import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'

/** The synced groups of these people, and those that left an entry out because of them. */
const groupsOf = (ids: number[]) => sql`select g.id from directory_groups g where g.stopped_at is null and (
  g.id in (select group_id from left_out where person_id = any(${sql.param(ids)}::bigint[]))
  or g.team_id in (select team_id from memberships where person_id = any(${sql.param(ids)}::bigint[]) and source = 'directory'))`

/** Locks them before everything else: a sync locks its group first. */
export async function lockGroupsOf(tx: Db, personIds: number[]): Promise<void> {
  await tx.execute(sql`select id from directory_groups where id in (${groupsOf(personIds)}) order by id for update`)
}

/** Hold their locks. */
export async function readGroupsAgain(tx: Db, personIds: number[]): Promise<void> {
  await tx.execute(sql`
    update directory_groups set fingerprint = null, next_run_at = least(next_run_at, now())
    where id in (${groupsOf(personIds)})`)
}

export async function lockAllGroups(tx: Db): Promise<void> {
  await tx.execute(sql`select id from directory_groups where stopped_at is null order by id for update`)
}

/** Hold their locks. */
export async function readAllGroupsAgain(tx: Db): Promise<void> {
  await tx.execute(sql`
    update directory_groups set fingerprint = null, next_run_at = least(next_run_at, now()) where stopped_at is null`)
}
