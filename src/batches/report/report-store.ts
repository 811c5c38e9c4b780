/** What the pages of batches read. */
import { and, asc, desc, eq, gt, inArray, lt, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { batches, deliveries, type deliveryStates, people, recipients } from '../../db/schema.ts'
import type { Verdict } from '../recipient.ts'

export interface LineFilter {
  verdicts?: Verdict[] | undefined
  delivery?: (typeof deliveryStates)[number] | undefined
  q?: string | undefined
}

/** One page of a batch's lines in their order, after line `after`, each with its person and its mail. */
export async function listLines(db: Db, batchId: number, filter: LineFilter, limit: number, after = 0) {
  const { line, text, address, verdict, reason, suggestion, firstLine } = recipients
  const pattern = `%${(filter.q ?? '').replace(/[\\%_]/g, '\\$&')}%`
  return db
    .select({
      ...{ line, text, address, verdict, reason, suggestion, firstLine },
      personId: people.id,
      openInvitationId: people.invitationId,
      delivery: deliveries.state,
      serverReply: deliveries.serverReply,
      mayHaveArrived: deliveries.mayHaveArrived,
      settledAt: deliveries.settledAt
    })
    .from(recipients)
    .leftJoin(people, eq(people.addressKey, recipients.addressKey))
    .leftJoin(
      deliveries,
      and(eq(deliveries.personId, people.id), eq(deliveries.batchId, batchId), eq(recipients.verdict, 'invite'))
    )
    .where(
      and(
        eq(recipients.batchId, batchId),
        gt(recipients.line, after),
        filter.verdicts ? inArray(recipients.verdict, filter.verdicts) : undefined,
        filter.delivery ? eq(deliveries.state, filter.delivery) : undefined,
        filter.q ? sql`${recipients.text} ilike ${pattern}` : undefined
      )
    )
    .orderBy(asc(recipients.line))
    .limit(limit)
}

/** The newest batches first, before the batch `before`. */
export async function listBatches(db: Db, limit: number, before?: number) {
  return db
    .select({ batch: batches, creatorName: people.name })
    .from(batches)
    .leftJoin(people, eq(people.id, batches.createdBy))
    .where(before === undefined ? undefined : lt(batches.id, before))
    .orderBy(desc(batches.id))
    .limit(limit)
}

/** Those of the lines that a correction can help. */
export async function problemLinesAmong(db: Db, batchId: number, lines: number[]): Promise<Set<number>> {
  const isProblem = and(
    eq(recipients.batchId, batchId),
    inArray(recipients.line, lines),
    inArray(recipients.verdict, ['malformed', 'foreign'])
  )
  const rows = await db.select({ line: recipients.line }).from(recipients).where(isProblem)
  return new Set(rows.map(row => row.line))
}

/** The batches that were made of corrected lines of this one. */
export async function correctionsOf(db: Db, batchId: number): Promise<{ id: number; lines: number }[]> {
  const { id, lines } = batches
  return db.select({ id, lines }).from(batches).where(eq(batches.correctsBatchId, batchId)).orderBy(asc(id)).limit(20)
}
