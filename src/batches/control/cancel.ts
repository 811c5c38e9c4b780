import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { withdrawUnsent } from '../../invitations/withdraw-store.ts'
import { cancelQueued } from '../../mail/store.ts'
import { requireRole } from '../../people/store.ts'
import { canBe } from '../batch.ts'
import { deleteChunks, lockBatch, setState } from '../store.ts'
import { avoidScans, cancelledWithRest } from './control-store.ts'
import type { ControlOutcome } from './pause.ts'

const reason = 'The batch was canceled before this email was sent'
const mailsInStep = 5000

/** Stops unsent email for good. The worker clears the rest in chunks; taking lines that it holds would deadlock. */
export async function cancel(db: Database, actorId: number, batchId: number): Promise<ControlOutcome> {
  const outcome = await transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return 'unknown'
    await requireRole(tx, actorId, 'admin')
    if (!canBe('cancelled', batch.state)) return 'wrong-state'
    await setState(tx, batchId, 'cancelled', { isOver: true })
    await recordEvent(tx, { kind: 'batch-cancelled', actorId, batchId })
    return 'done'
  })
  if (outcome === 'done') await cancelSome(db, batchId)
  return outcome
}

export async function clearCancelled(db: Database): Promise<boolean> {
  const batchIds = await cancelledWithRest(db)
  for (const batchId of batchIds) {
    await deleteChunks(db, batchId)
    await cancelSome(db, batchId)
  }
  return batchIds.length > 0
}

/** Revokes invitations that were never sent, so that their people can be invited again. */
async function cancelSome(db: Database, batchId: number): Promise<void> {
  await transaction(db, async tx => {
    await avoidScans(tx)
    const called = await cancelQueued(tx, { batchId }, reason, mailsInStep)
    await withdrawUnsent(
      tx,
      called.filter(each => !each.mayHaveArrived).flatMap(({ invitationId }) => invitationId ?? [])
    )
  })
}
