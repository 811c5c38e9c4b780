import { and, asc, desc, eq, isNull, sql } from 'drizzle-orm'
import { alias, type PgColumn } from 'drizzle-orm/pg-core'
import type { Db } from '../db/client.ts'
import { contains } from '../db/paged-search.ts'
import { directoryGroups, leftOut, people, type SyncReceipt, syncChanges, syncRuns } from '../db/schema.ts'
import type { ChangeKind } from './run.ts'

export type GroupRow = typeof directoryGroups.$inferSelect
export type RunRow = typeof syncRuns.$inferSelect

export interface ListedGroup extends GroupRow {
  lastRun: RunRow | null
  receipt: SyncReceipt | null
}

const goodRun = alias(syncRuns, 'good_run')
const isSynced = isNull(directoryGroups.stoppedAt)

async function readGroups(db: Db, where: ReturnType<typeof and>, limit = 1): Promise<ListedGroup[]> {
  const rows = await db
    .select({ group: directoryGroups, lastRun: syncRuns, receipt: goodRun.receipt })
    .from(directoryGroups)
    .leftJoin(syncRuns, eq(syncRuns.id, directoryGroups.lastRunId))
    .leftJoin(goodRun, eq(goodRun.id, directoryGroups.lastGoodRunId))
    .where(where)
    .orderBy(sql`lower(${directoryGroups.name})`, asc(directoryGroups.id))
    .limit(limit)
  return rows.map(({ group, lastRun, receipt }) => ({ ...group, lastRun, receipt }))
}

/** One page of the synced groups by name; `q` is contained in name, email or description. */
export async function listGroups(
  db: Db,
  q: string,
  limit: number,
  after?: { name: string; id: number }
): Promise<ListedGroup[]> {
  const { name, id, mail, description } = directoryGroups
  const text = sql`lower(${name} || E'\n' || coalesce(${mail}, '') || E'\n' || coalesce(${description}, ''))`
  const isLater = after && sql`(lower(${name}), ${id}) > (lower(${after.name}), ${after.id}::bigint)`
  return readGroups(db, and(isSynced, q ? contains(text, q) : undefined, isLater), limit)
}

export async function findGroup(db: Db, id: number): Promise<ListedGroup | undefined> {
  const [row] = await readGroups(db, and(eq(directoryGroups.id, id), isSynced))
  return row
}

export async function findGroups(db: Db, ids: number[]): Promise<ListedGroup[]> {
  const isAsked = sql`${directoryGroups.id} = any(${sql.param(ids)}::bigint[])`
  const found = new Map((await readGroups(db, and(isAsked, isSynced), ids.length)).map(group => [group.id, group]))
  return ids.flatMap(id => found.get(id) ?? [])
}

export async function updateGroup(
  tx: Db,
  id: number,
  read: Pick<
    GroupRow,
    'dn' | 'name' | 'mail' | 'description' | 'kind' | 'memberCount' | 'lastGoodRunId' | 'fingerprint'
  >
): Promise<void> {
  await tx
    .update(directoryGroups)
    .set({ ...read, lastGoodAt: sql`now()`, comparedAt: sql`now()` })
    .where(eq(directoryGroups.id, id))
}

export async function touchGroup(tx: Db, id: number, lastGoodRunId: number): Promise<void> {
  await tx.update(directoryGroups).set({ lastGoodRunId, lastGoodAt: sql`now()` }).where(eq(directoryGroups.id, id))
}

export async function isComparedLately(tx: Db, id: number, hours: number): Promise<boolean> {
  const isLate = sql<boolean>`${directoryGroups.comparedAt} > now() - make_interval(hours => ${hours})`
  const [row] = await tx.select({ isLate }).from(directoryGroups).where(eq(directoryGroups.id, id))
  return row?.isLate === true
}

/** Which of these stable ids are synced, with their row's id: a search marks them. */
export async function syncedAmong(db: Db, directoryIds: string[]): Promise<Map<string, number>> {
  const isAsked = sql`${directoryGroups.directoryId} = any(${sql.param(directoryIds)}::text[])`
  const { id, directoryId } = directoryGroups
  const rows = await db.select({ id, directoryId }).from(directoryGroups).where(and(isAsked, isSynced))
  return new Map(rows.map(row => [row.directoryId, row.id]))
}

export interface ShownRun extends RunRow {
  starterName: string | null
  approverName: string | null
  undoerName: string | null
}

const starter = alias(people, 'starter')
const approver = alias(people, 'approver')
const undoer = alias(people, 'undoer')
const nameOf = (who: { name: PgColumn; email: PgColumn }) => sql<string | null>`coalesce(${who.name}, ${who.email})`

async function readRuns(db: Db, where: ReturnType<typeof and>, limit: number): Promise<ShownRun[]> {
  const rows = await db
    .select({
      run: syncRuns,
      starterName: nameOf(starter),
      approverName: nameOf(approver),
      undoerName: nameOf(undoer)
    })
    .from(syncRuns)
    .leftJoin(starter, eq(starter.id, syncRuns.startedBy))
    .leftJoin(approver, eq(approver.id, syncRuns.approvedBy))
    .leftJoin(undoer, eq(undoer.id, syncRuns.undoneBy))
    .where(where)
    .orderBy(desc(syncRuns.id))
    .limit(limit)
  return rows.map(({ run, ...names }) => ({ ...run, ...names }))
}

export async function findRun(db: Db, groupId: number, runId: number): Promise<ShownRun | undefined> {
  const [row] = await readRuns(db, and(eq(syncRuns.groupId, groupId), eq(syncRuns.id, runId)), 1)
  return row
}

/** A group's runs before the run `before`, newest first. */
export async function listRuns(db: Db, groupId: number, limit: number, before?: number): Promise<ShownRun[]> {
  const isEarlier = before === undefined ? undefined : sql`${syncRuns.id} < ${before}::bigint`
  return readRuns(db, and(eq(syncRuns.groupId, groupId), isEarlier), limit)
}

export interface ListedChange {
  id: number
  personId: number
  email: string
  name: string | null
  detail: string | null
}

/** One page of what a run changed, of one kind, after the change `after`. */
export async function listChanges(
  db: Db,
  runId: number,
  kind: ChangeKind,
  limit: number,
  after = 0
): Promise<ListedChange[]> {
  const { id, personId, detail } = syncChanges
  const isLater = sql`${id} > ${after}::bigint`
  return db
    .select({ id, personId, detail, email: people.email, name: people.name })
    .from(syncChanges)
    .innerJoin(people, eq(people.id, personId))
    .where(and(eq(syncChanges.runId, runId), eq(syncChanges.kind, kind), isLater))
    .orderBy(asc(id))
    .limit(limit)
}

export type LeftOutRow = typeof leftOut.$inferSelect

export async function listLeftOut(db: Db, groupId: number, limit: number): Promise<LeftOutRow[]> {
  return db
    .select()
    .from(leftOut)
    .where(eq(leftOut.groupId, groupId))
    .orderBy(asc(leftOut.reason), asc(leftOut.name), asc(leftOut.directoryId))
    .limit(limit)
}
