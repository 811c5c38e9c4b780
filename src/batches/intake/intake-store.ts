import { and, eq, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { batches } from '../../db/schema.ts'
import type { Chunk } from '../chunk.ts'
import { insertChunk } from '../judging/judge-store.ts'

/** False when the batch was given up because its upload fell silent. */
export async function addChunk(tx: Db, batchId: number, chunk: Chunk, lines: number): Promise<boolean> {
  const isAlive = await showLife(tx, batchId, lines)
  if (isAlive) await insertChunk(tx, batchId, chunk)
  return isAlive
}

export async function showLife(db: Db, batchId: number, lines = 0): Promise<boolean> {
  const rows = await db
    .update(batches)
    .set({ receivedAt: sql`now()`, lines: sql`${batches.lines} + ${lines}` })
    .where(and(eq(batches.id, batchId), eq(batches.state, 'receiving')))
    .returning({ id: batches.id })
  return rows.length > 0
}
