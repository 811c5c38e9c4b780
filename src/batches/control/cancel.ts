import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { revokeUnsent } from '../../invitations/store.ts'
import { cancelQueued } from '../../mail/store.ts'
import { canBe } from '../batch.ts'
import { deleteChunks, lockBatch, setState } from '../store.ts'
import { cancelledWithMails } from './control-store.ts'
import type { ControlOutcome } from './hold.ts'

const reason = 'The batch was cancelled before the mail left'
const mailsInStep = 5000

/**
 * Stops what is not sent yet, for good. The state says so at once, and nothing more leaves; the worker then calls off
 * the mails (`cancelMails`), in steps that others do not have to wait for.
 */
export async function cancel(db: Database, actorId: number, batchId: number): Promise<ControlOutcome> {
  const outcome = await transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return 'unknown'
    if (!canBe('cancelled', batch.state)) return 'wrong-state'
    await setState(tx, batchId, 'cancelled', { isOver: true })
    await deleteChunks(tx, batchId)
    await recordEvent(tx, { kind: 'batch-cancelled', actorId, batchId })
    return 'done'
  })
  if (outcome === 'done') await cancelSome(db, batchId)
  return outcome
}

/** Calls off what cancelled batches still owe. False when there is nothing. */
export async function cancelMails(db: Database): Promise<boolean> {
  const batchIds = await cancelledWithMails(db)
  for (const batchId of batchIds) await cancelSome(db, batchId)
  return batchIds.length > 0
}

/** An invitation that no mail ever left for is taken back: whoever it was for can be invited again. */
async function cancelSome(db: Database, batchId: number): Promise<void> {
  await transaction(db, async tx => {
    const called = await cancelQueued(tx, { batchId }, reason, mailsInStep)
    await revokeUnsent(
      tx,
      called.filter(each => !each.mayHaveArrived).flatMap(({ invitationId }) => invitationId ?? [])
    )
  })
}
