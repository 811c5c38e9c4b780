import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { requireRole } from '../../people/store.ts'
import { canBe } from '../batch.ts'
import { lockBatch, setState } from '../store.ts'

export type ControlOutcome = 'done' | 'unknown' | 'wrong-state'

export async function pause(db: Database, actorId: number, batchId: number): Promise<ControlOutcome> {
  return transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return 'unknown'
    await requireRole(tx, actorId, 'admin')
    if (!canBe('paused', batch.state)) return 'wrong-state'
    await setState(tx, batchId, 'paused')
    await recordEvent(tx, { kind: 'batch-paused', actorId, batchId })
    return 'done'
  })
}
