import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { hashToken, newNonce, tokenOf } from '../lib/token.ts'
import { lockPerson } from '../people/store.ts'
import { type InvitationState, stateOf } from './invitation.ts'
import { findInvitation, writeNonce } from './store.ts'

export type LinkOutcome =
  | { outcome: 'shown'; token: string; email: string; personId: number; expiresAt: Date }
  | { outcome: 'unknown' }
  | { outcome: 'closed'; personId: number; state: Exclude<InvitationState, 'open'> }

/** The link of an open invitation, for an admin to hand over where mail does not get through. */
export async function showLink(
  db: Database,
  secretKey: Buffer,
  actorId: number,
  invitationId: number
): Promise<LinkOutcome> {
  return transaction(db, async tx => {
    const found = await findInvitation(tx, invitationId)
    const person = found && (await lockPerson(tx, found.personId))
    if (!person) return { outcome: 'unknown' }
    const state = stateOf((await findInvitation(tx, invitationId))!)
    if (state !== 'open') return { outcome: 'closed', personId: person.id, state }
    const fresh = newNonce()
    await writeNonce(tx, invitationId, fresh, hashToken(tokenOf(secretKey, fresh)))
    const { nonce, expiresAt } = (await findInvitation(tx, invitationId))!
    await recordEvent(tx, { kind: 'link-shown', actorId, personId: person.id })
    return { outcome: 'shown', token: tokenOf(secretKey, nonce!), email: person.email, personId: person.id, expiresAt }
  })
}
