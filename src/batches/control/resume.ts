import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { includesRole } from '../../lib/role.ts'
import { currentRole, requireRole } from '../../people/store.ts'
import { canBe } from '../batch.ts'
import { lockBatch, setSender, startChecking, startSending } from '../store.ts'
import type { ControlOutcome } from './pause.ts'

export async function resume(db: Database, actorId: number, batchId: number): Promise<ControlOutcome> {
  return transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return 'unknown'
    await requireRole(tx, actorId, 'admin')
    if (!canBe('resumed', batch.state)) return 'wrong-state'
    const sender = await currentRole(tx, batch.sentBy ?? batch.createdBy)
    if (!sender || !includesRole(sender, 'admin')) await setSender(tx, batchId, actorId)
    if (batch.checkedAt) await startSending(tx, batchId)
    else await startChecking(tx, batchId, { from: [batch.state] })
    await recordEvent(tx, { kind: 'batch-resumed', actorId, batchId })
    return 'done'
  })
}
