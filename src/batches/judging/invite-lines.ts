import type { Db } from '../../db/client.ts'
import {
  type InviteStep,
  inviteRecipients,
  supersedeExpired,
  takeNamedAddresses
} from '../../invitations/invite-store.ts'
import { addToCounts } from '../store.ts'
import { type Judgement, judgeAgain } from './judge-store.ts'

/** Invites lines judged `invite` and counts them; returns how many. Judges again who signed up. Hold `lockInviting`. */
export async function inviteLines(
  tx: Db,
  step: InviteStep & Pick<Judgement, 'counts' | 'hasFormerlyInvited' | 'hasOtherAddress'>
): Promise<number> {
  const expected = step.counts.invite ?? 0
  if (expected === 0) return 0
  if (step.hasOtherAddress) await takeNamedAddresses(tx, step)
  if (step.hasFormerlyInvited) await supersedeExpired(tx, step)
  const invited = await inviteRecipients(tx, step)
  if (invited < expected) {
    const changed = await judgeAgain(tx, step.batchId, step.fromLine, step.toLine)
    await addToCounts(tx, step.batchId, { verdicts: { ...changed, invite: invited - expected } })
  }
  await addToCounts(tx, step.batchId, { mailsQueued: invited })
  return invited
}
