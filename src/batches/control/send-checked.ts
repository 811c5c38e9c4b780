import { type Database, transaction } from '../../db/client.ts'
import { requireRole } from '../../people/store.ts'
import { canBe } from '../batch.ts'
import { lockBatch, startChecking } from '../store.ts'
import type { ControlOutcome } from './pause.ts'

/** Sends a checked batch in this admin's name. The worker judges every line again. A second press changes nothing. */
export async function sendChecked(db: Database, actorId: number, batchId: number): Promise<ControlOutcome> {
  return transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return 'unknown'
    await requireRole(tx, actorId, 'admin')
    if (!canBe('sent', batch.state)) return 'wrong-state'
    await startChecking(tx, batchId, { from: ['checked'], action: 'send', sentBy: actorId })
    return 'done'
  })
}
