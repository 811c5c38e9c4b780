/** Holding a batch and letting it go on. */
import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { includesRole } from '../../lib/role.ts'
import { currentRole, requireRole } from '../../people/store.ts'
import { canBe } from '../batch.ts'
import { lockBatch, setSender, setState, startChecking, startSending } from '../store.ts'

export type ControlOutcome = 'done' | 'unknown' | 'wrong-state'

/** Nothing more leaves, and no more lines are judged, until somebody lets it go on. */
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

/** Goes on where it was held, by an admin or by Rollcall. */
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
