import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { retryFailed } from '../../mail/store.ts'
import { canBe } from '../batch.ts'
import { lockBatch } from '../store.ts'
import { avoidScans } from './control-store.ts'
import type { ControlOutcome } from './hold.ts'

/** Tries every failed and unknown mail of a batch again, with the same links. */
export async function retry(db: Database, actorId: number, batchId: number): Promise<ControlOutcome> {
  return transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return 'unknown'
    if (!canBe('retried', batch.state)) return 'wrong-state'
    await avoidScans(tx)
    const mails = await retryFailed(tx, batchId)
    if (mails === 0) return 'wrong-state'
    await recordEvent(tx, { kind: 'mails-retried', actorId, batchId, details: { mails } })
    return 'done'
  })
}
