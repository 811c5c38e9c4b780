/** An admin's selection, as rows: adding and removing is exact whatever was selected before. */
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { selectionPeople, selections } from '../../db/schema.ts'
import { first } from '../../lib/ends.ts'
import { isShown } from './store.ts'
import type { Grouping, MemberFilter } from './view.ts'

export type SelectionRow = typeof selections.$inferSelect

export interface Owner {
  groupId: number
  adminId: number
}

const isOf = ({ groupId, adminId }: Owner) => and(eq(selections.groupId, groupId), eq(selections.adminId, adminId))

export async function insertSelection(tx: Db, owner: Owner): Promise<number> {
  const row = first(await tx.insert(selections).values(owner).returning({ id: selections.id }))
  return row.id
}

export async function findSelection(db: Db, id: number, owner: Owner): Promise<SelectionRow | undefined> {
  const [row] = await db
    .select()
    .from(selections)
    .where(and(eq(selections.id, id), isOf(owner)))
  return row
}

/** Locks one selection until the transaction ends: every change of it, and every batch from it, starts here. */
export async function lockSelection(tx: Db, id: number, owner: Owner): Promise<SelectionRow | undefined> {
  const [row] = await tx
    .select()
    .from(selections)
    .where(and(eq(selections.id, id), isOf(owner)))
    .for('update')
  return row
}

/** These people, or everyone on a page, in these sections if named. */
export type Meant = { people: number[] } | { filter: MemberFilter; by?: Grouping; sections?: string[] }

const isMeant = (teamId: number, meant: Meant) =>
  'people' in meant
    ? sql`${isShown(teamId, {})} and t.person_id = any(${sql.param(meant.people)}::bigint[])`
    : isShown(teamId, meant.filter, meant.by, meant.sections)

/** People who are not in the group cannot be added. */
export async function addPeople(tx: Db, id: number, teamId: number, meant: Meant): Promise<void> {
  await tx.execute(sql`
    insert into selection_people (selection_id, person_id)
    select ${id}::bigint, t.person_id from team_members t where ${isMeant(teamId, meant)} on conflict do nothing`)
}

export async function takeOut(tx: Db, id: number, teamId: number, meant: Meant): Promise<void> {
  await tx.execute(sql`
    delete from selection_people s using team_members t
    where s.selection_id = ${id} and t.person_id = s.person_id and ${isMeant(teamId, meant)}`)
}

export async function takeEverybodyOut(tx: Db, id: number): Promise<void> {
  await tx.delete(selectionPeople).where(eq(selectionPeople.selectionId, id))
}

export async function recount(tx: Db, id: number): Promise<number> {
  const count = sql`(select count(*) from ${selectionPeople} s where s.selection_id = ${id})`
  const row = first(
    await tx
      .update(selections)
      .set({ people: count })
      .where(eq(selections.id, id))
      .returning({ people: selections.people })
  )
  return row.people
}

export async function setBatch(tx: Db, id: number, batchId: number): Promise<void> {
  await tx.update(selections).set({ batchId }).where(eq(selections.id, id))
}

/** The oldest that was not used for two days; a batch keeps its own lines. False: none. */
export async function forgetSelection(tx: Db): Promise<boolean> {
  const isOld = lt(selections.createdAt, sql`now() - interval '2 days'`)
  const rows = tx.select({ id: selections.id }).from(selections).where(isOld).orderBy(selections.createdAt).limit(1)
  const [row] = await rows.for('update', { skipLocked: true })
  if (!row) return false
  await takeEverybodyOut(tx, row.id)
  await tx.delete(selections).where(eq(selections.id, row.id))
  return true
}
