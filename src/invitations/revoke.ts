import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { cancelQueued } from '../mail/store.ts'
import { lockPerson } from '../people/store.ts'
import { mayHandle } from './may-handle.ts'
import { closeAsRevoked, findInvitation } from './store.ts'

export type RevokeOutcome =
  | { outcome: 'revoked' | 'closed'; personId: number }
  | { outcome: 'unknown' }
  | { outcome: 'role-too-small' }

/** Revokes an invitation: its link stops working immediately, unsent emails are canceled. */
export async function revoke(db: Database, actorId: number, invitationId: number): Promise<RevokeOutcome> {
  return transaction(db, async tx => {
    const found = await findInvitation(tx, invitationId)
    const person = found && (await lockPerson(tx, found.personId))
    const invitation = await findInvitation(tx, invitationId)
    if (!person || !invitation) return { outcome: 'unknown' }
    if (!(await mayHandle(tx, actorId, invitation))) return { outcome: 'role-too-small' }
    if (!(await closeAsRevoked(tx, invitationId))) return { outcome: 'closed', personId: person.id }
    await cancelQueued(tx, { invitationId }, 'the invitation was revoked')
    await recordEvent(tx, { kind: 'invitation-revoked', actorId, personId: person.id })
    return { outcome: 'revoked', personId: person.id }
  })
}
