import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { cancelQueued, queueDelivery } from '../mail/store.ts'
import { lockOwners, lockPerson, readOrganization, updateRole } from '../people/store.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import { dropLinks, lockInvitation } from './link-store.ts'
import { extendInvitation, findInvitation, type InvitationRow, setInvitedRole } from './store.ts'

export type RoleOutcome =
  | { outcome: 'changed'; isInvited: boolean; link: NewLink }
  | { outcome: 'unknown' | 'wrong-state' | 'last-owner' | 'not-owner' }
  /** Meanwhile the invited person signed up, or the user that was shown was something else. */
  | { outcome: 'changed-meanwhile' }

/** What became of the link of an open invitation. `suppressed`: it has a new one, and no email may bring it. */
type NewLink = 'same' | 'sent' | 'suppressed'

/**
 * Gives a user another role, or a person with an open invitation the role that they will sign up with. A user's
 * sessions end, so that none of them outlives the role that it began with (ASVS 7.2.4). The last owner stays owner.
 * `seen`: the enrollment that the owner was shown, when the form says so.
 */
export async function changeRole(
  db: Database,
  ownerId: number,
  personId: number,
  role: Role,
  seen?: string
): Promise<RoleOutcome> {
  return transaction(db, async tx => {
    const owners = await lockOwners(tx)
    const person = await lockPerson(tx, personId)
    if (!owners.includes(ownerId)) return { outcome: 'not-owner' }
    if (!person) return { outcome: 'unknown' }
    if (seen !== undefined && seen !== person.enrollment) return { outcome: 'changed-meanwhile' }
    if (person.enrollment !== 'signed-up' && person.enrollment !== 'invited') return { outcome: 'wrong-state' }
    if (role !== 'owner' && owners.length === 1 && owners[0] === personId) return { outcome: 'last-owner' }
    const isInvited = person.enrollment === 'invited'
    const link = isInvited ? await changeInvited(tx, person.invitationId!, role, ownerId) : 'same'
    if (!isInvited && person.role !== role) {
      await updateRole(tx, personId, role)
      await deleteSessionsOf(tx, personId)
    }
    await recordEvent(tx, { kind: 'role-changed', actorId: ownerId, personId, details: { role } })
    return { outcome: 'changed', isInvited, link }
  })
}

/**
 * A link may be known to those who could see it while it gave less: when the role rises, the link is replaced and the
 * new one goes to the invited person's mailbox.
 */
async function changeInvited(tx: Db, id: number, role: Role, ownerId: number): Promise<NewLink> {
  await lockInvitation(tx, id)
  const invitation = (await findInvitation(tx, id))!
  await setInvitedRole(tx, id, role, ownerId)
  return includesRole(invitation.role, role) ? 'same' : replaceLink(tx, invitation)
}

/** Ends the link of an open invitation and sends another one. Hold the locks of the person and the invitation. */
export async function replaceLink(tx: Db, { id, personId, email, isSuppressed }: InvitationRow): Promise<NewLink> {
  const hadLink = (await dropLinks(tx, [id])).length > 0
  // no link is minted yet: the email that is queued brings the only one
  if (!hadLink) return 'same'
  await extendInvitation(tx, id, personId, (await readOrganization(tx))!.invitationDays)
  if (isSuppressed) return 'suppressed'
  await cancelQueued(tx, { invitationId: id }, 'another link replaced the one in this email')
  await queueDelivery(tx, { personId, invitationId: id, address: email, batchId: null, priority: 0 })
  return 'sent'
}
