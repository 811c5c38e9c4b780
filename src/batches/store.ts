import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { batchChunks, batches, directoryGroups, people } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import { keysIn } from '../lib/known.ts'
import type { BatchState } from './batch.ts'
import type { Verdict } from './recipient.ts'

export type BatchRow = typeof batches.$inferSelect
export type NewBatch = Pick<
  typeof batches.$inferInsert,
  'source' | 'state' | 'action' | 'createdBy' | 'sentBy' | 'fileName' | 'correctsBatchId' | 'restOfBatchId' | 'groupId'
>

export async function insertBatch(tx: Db, batch: NewBatch): Promise<number> {
  const row = first(await tx.insert(batches).values(batch).returning({ id: batches.id }))
  return row.id
}

export async function findBatch(db: Db, id: number) {
  const rows = db
    .select({ batch: batches, creatorName: people.name, groupName: directoryGroups.name })
    .from(batches)
    .leftJoin(people, eq(people.id, batches.createdBy))
    .leftJoin(directoryGroups, eq(directoryGroups.id, batches.groupId))
  const [row] = await rows.where(eq(batches.id, id))
  return row && { ...row.batch, creatorName: row.creatorName, groupName: row.groupName }
}

/** Locks a batch's row until the transaction ends: every admin action on a batch starts here. */
export async function lockBatch(tx: Db, id: number): Promise<BatchRow | undefined> {
  const [row] = await tx.select().from(batches).where(eq(batches.id, id)).for('update')
  return row
}

export async function setSender(tx: Db, id: number, sentBy: number): Promise<void> {
  await tx.update(batches).set({ sentBy }).where(eq(batches.id, id))
}

export async function deleteBatch(db: Db, id: number): Promise<void> {
  await db.delete(batches).where(eq(batches.id, id))
}

export interface CountChange {
  lines?: number
  judged?: number
  mailsQueued?: number
  verdicts?: Partial<Record<Verdict, number>>
}

/** In the transaction that changes what they count. */
export async function addToCounts(
  tx: Db,
  batchId: number,
  { verdicts: changes = {}, ...others }: CountChange
): Promise<void> {
  const counts = { ...others, ...changes }
  const changed = keysIn(counts).filter(name => counts[name])
  if (changed.length === 0) return
  const added = changed.map(name => [name, sql`${batches[name]} + ${counts[name]}`])
  await tx.update(batches).set(Object.fromEntries(added)).where(eq(batches.id, batchId))
}

const hasOpenMails = sql`${batches.mailsQueued} + ${batches.mailsSending} + ${batches.mailsHeld} + ${batches.mailsDeferred} > 0`

/** A batch without email to wait for is done; others are sending. */
export async function startSending(tx: Db, batchId: number): Promise<void> {
  await tx
    .update(batches)
    .set({
      state: sql`case when ${hasOpenMails} then 'sending' else 'done' end`,
      checkedAt: sql`coalesce(${batches.checkedAt}, now())`,
      finishedAt: sql`case when ${hasOpenMails} then null else now() end`,
      stopReason: null
    })
    .where(eq(batches.id, batchId))
}

export async function awaitOrder(tx: Db, batchId: number): Promise<void> {
  await tx.update(batches).set({ state: 'checked', checkedAt: sql`now()` }).where(eq(batches.id, batchId))
}

export async function startChecking(
  tx: Db,
  batchId: number,
  { from, ...changed }: { from: BatchState[]; action?: 'send' | 'check'; sentBy?: number }
): Promise<boolean> {
  const rows = await tx
    .update(batches)
    .set({ ...changed, state: 'checking', checkedAt: null, stopReason: null, failures: 0, leaseUntil: null })
    .where(and(eq(batches.id, batchId), inArray(batches.state, from)))
    .returning({ id: batches.id })
  return rows.length > 0
}

export async function setState(
  tx: Db,
  batchId: number,
  state: BatchState,
  { stopReason = null, isOver = false }: { stopReason?: string | null; isOver?: boolean } = {}
): Promise<void> {
  await tx
    .update(batches)
    .set({ state, stopReason, leaseUntil: null, ...(isOver ? { finishedAt: sql`now()` } : {}) })
    .where(eq(batches.id, batchId))
}

export async function deleteChunks(tx: Db, batchId: number): Promise<void> {
  await tx.delete(batchChunks).where(eq(batchChunks.batchId, batchId))
}

/** Gives up uploads without a sign of life for a minute. Returns their ids. */
export async function silentUploads(db: Db): Promise<number[]> {
  const isSilent = sql`${batches.receivedAt} < now() - interval '1 minute'`
  const rows = await db
    .select({ id: batches.id })
    .from(batches)
    .where(and(eq(batches.state, 'receiving'), isSilent, isNull(batches.finishedAt)))
  return rows.map(row => row.id)
}
