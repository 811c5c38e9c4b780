import { eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { batchChunks, batches, people } from '../db/schema.ts'
import type { Chunk } from './chunk.ts'
import type { Verdict } from './recipient.ts'

export type BatchRow = typeof batches.$inferSelect
export type NewBatch = Pick<
  typeof batches.$inferInsert,
  'source' | 'state' | 'action' | 'createdBy' | 'fileName' | 'correctsBatchId'
>

export async function insertBatch(tx: Db, batch: NewBatch): Promise<number> {
  const [row] = await tx.insert(batches).values(batch).returning({ id: batches.id })
  return row!.id
}

export async function findBatch(db: Db, id: number): Promise<(BatchRow & { creatorName: string | null }) | undefined> {
  const rows = db
    .select({ batch: batches, creatorName: people.name })
    .from(batches)
    .leftJoin(people, eq(people.id, batches.createdBy))
  const [row] = await rows.where(eq(batches.id, id))
  return row && { ...row.batch, creatorName: row.creatorName }
}

export interface CountChange {
  lines?: number
  judged?: number
  mailsQueued?: number
  verdicts?: Partial<Record<Verdict, number>>
}

/** Adds to a batch's counts, in the transaction that changes what they count. */
export async function addToCounts(
  tx: Db,
  batchId: number,
  { verdicts: changes = {}, ...others }: CountChange
): Promise<void> {
  const entries = Object.entries({ ...others, ...changes }).filter(([, change]) => change)
  if (entries.length === 0) return
  const added = entries.map(([name, change]) => [name, sql`${batches[name as Verdict]} + ${change}`])
  await tx.update(batches).set(Object.fromEntries(added)).where(eq(batches.id, batchId))
}

/** A batch without a mail to wait for is done; others are sending. */
export async function startSending(tx: Db, batchId: number): Promise<void> {
  const hasMails = sql`${batches.mailsQueued} + ${batches.mailsSending} + ${batches.mailsDeferred} > 0`
  await tx
    .update(batches)
    .set({
      state: sql`case when ${hasMails} then 'sending' else 'done' end`,
      finishedAt: sql`case when ${hasMails} then null else now() end`
    })
    .where(eq(batches.id, batchId))
}

export async function insertChunk(tx: Db, batchId: number, chunk: Chunk): Promise<void> {
  await tx.insert(batchChunks).values({ batchId, ...chunk })
}
