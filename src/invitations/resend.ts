import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { tokenWith } from '../lib/secrets/token.ts'
import { cancelQueued, queueDelivery } from '../mail/store.ts'
import { organizationOf } from '../organization/store.ts'
import { lockPerson } from '../people/store.ts'
import { type InvitationState, stateOf } from './invitation.ts'
import { mayHandle } from './may-handle.ts'
import { extendInvitation, findInvitation } from './store.ts'

export type ResendOutcome =
  /** Without `hasSameLink` none of our keys made the link of earlier emails: the new email gets another one. */
  | { outcome: 'resent'; personId: number; hasSameLink: boolean }
  | { outcome: 'unknown' }
  | { outcome: 'role-too-small' }
  | { outcome: 'closed'; personId: number; state: Exclude<InvitationState, 'open'> }
  | { outcome: 'suppressed'; personId: number }

/** Restarts expiry and sends a new email, with the same link if one of the `keys` made it. */
export async function resend(
  db: Database,
  keys: readonly Buffer[],
  actorId: number,
  invitationId: number
): Promise<ResendOutcome> {
  return transaction(db, async tx => {
    const found = await findInvitation(tx, invitationId)
    const person = found && (await lockPerson(tx, found.personId))
    const invitation = await findInvitation(tx, invitationId)
    if (!person || !invitation) return { outcome: 'unknown' }
    if (!(await mayHandle(tx, actorId, invitation))) return { outcome: 'role-too-small' }
    const state = stateOf(invitation)
    if (state !== 'open') return { outcome: 'closed', personId: person.id, state }
    if (invitation.isSuppressed) return { outcome: 'suppressed', personId: person.id }
    const days = (await organizationOf(tx)).invitationDays
    await cancelQueued(tx, { invitationId }, 'resent instead')
    await extendInvitation(tx, invitationId, person.id, days)
    await queueDelivery(tx, { personId: person.id, invitationId, address: person.email, batchId: null, priority: 0 })
    await recordEvent(tx, { kind: 'invitation-resent', actorId, personId: person.id })
    const { nonce, tokenHash } = invitation
    const hasSameLink = !nonce || !tokenHash || tokenWith(keys, nonce, tokenHash) !== undefined
    return { outcome: 'resent', personId: person.id, hasSameLink }
  })
}
