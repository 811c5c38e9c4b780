import { desc, eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { deliveries } from '../db/schema.ts'

export async function deliveriesOf(db: Db, personId: number) {
  const {
    id,
    kind,
    invitationId,
    batchId,
    state,
    attempts,
    serverReply,
    isKept,
    mayHaveArrived,
    queuedAt,
    settledAt,
    nextAttemptAt
  } = deliveries
  return db
    .select({
      id,
      kind,
      invitationId,
      batchId,
      state,
      attempts,
      serverReply,
      isKept,
      mayHaveArrived,
      queuedAt,
      settledAt,
      nextAttemptAt
    })
    .from(deliveries)
    .where(eq(deliveries.personId, personId))
    .orderBy(desc(deliveries.id))
    .limit(200)
}
