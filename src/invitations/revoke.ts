import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { cancelQueued } from '../mail/store.ts'
import { lockPerson } from '../people/store.ts'
import { closeAsRevoked, findInvitation } from './store.ts'

export type RevokeOutcome = { outcome: 'revoked' | 'closed'; personId: number } | { outcome: 'unknown' }

/** Takes an invitation back: its link is dead at once, mails that have not left are cancelled. */
export async function revoke(db: Database, actorId: number, invitationId: number): Promise<RevokeOutcome> {
  return transaction(db, async tx => {
    const invitation = await findInvitation(tx, invitationId)
    const person = invitation && (await lockPerson(tx, invitation.personId))
    if (!person) return { outcome: 'unknown' }
    if (!(await closeAsRevoked(tx, invitationId, person.id))) return { outcome: 'closed', personId: person.id }
    await cancelQueued(tx, { invitationId }, 'the invitation was revoked')
    await recordEvent(tx, { kind: 'invitation-revoked', actorId, personId: person.id })
    return { outcome: 'revoked', personId: person.id }
  })
}
