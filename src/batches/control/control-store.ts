import { and, eq, or, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { batchChunks, batches } from '../../db/schema.ts'

/** Cancelled batches that still owe mails, or hold lines that are not judged. */
export async function cancelledWithRest(db: Db): Promise<number[]> {
  const owes = sql`${batches.mailsQueued} + ${batches.mailsDeferred} > 0`
  const hasLines = sql`exists (select from ${batchChunks} where ${batchChunks.batchId} = ${batches.id})`
  const rows = await db
    .select({ id: batches.id })
    .from(batches)
    .where(and(eq(batches.state, 'cancelled'), or(owes, hasLines)))
  return rows.map(row => row.id)
}

/** Mails and people are found by index, never by scan: right after a first intake the statistics say "empty". */
export async function avoidScans(tx: Db): Promise<void> {
  await tx.execute(sql`set local enable_seqscan = off`)
}
