import { and, eq, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { batches } from '../../db/schema.ts'

/** Cancelled batches that still owe mails. */
export async function cancelledWithMails(db: Db): Promise<number[]> {
  const isOwing = and(eq(batches.state, 'cancelled'), sql`${batches.mailsQueued} + ${batches.mailsDeferred} > 0`)
  return (await db.select({ id: batches.id }).from(batches).where(isOwing)).map(row => row.id)
}
