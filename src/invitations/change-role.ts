import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { lockAddresses, lockOwners, lockPerson, updateRole } from '../people/store.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import { lockInvitation } from './link-store.ts'
import { type NewLink, replaceKnownLinks, replaceLink } from './replace-links.ts'
import { invitationOf, setInvitedRole } from './store.ts'

export type RoleOutcome =
  /** `replaced`: other people's links that the user has seen and that grant a role above their new one. */
  | { outcome: 'changed'; link: NewLink; replaced: number }
  | { outcome: 'unknown' | 'wrong-state' | 'last-owner' | 'not-owner' }
  | { outcome: 'changed-meanwhile' }

/** Ends sessions (ASVS 7.2.4) and links that grant more. `seen`: the enrollment that the owner was shown. */
export async function changeRole(
  db: Database,
  ownerId: number,
  personId: number,
  role: Role,
  seen?: string
): Promise<RoleOutcome> {
  return transaction(db, async tx => {
    const owners = await lockOwners(tx)
    await lockAddresses(tx)
    const person = await lockPerson(tx, personId)
    if (!owners.includes(ownerId)) return { outcome: 'not-owner' }
    if (!person) return { outcome: 'unknown' }
    if (seen !== undefined && seen !== person.enrollment) return { outcome: 'changed-meanwhile' }
    if (person.enrollment !== 'signed-up' && person.enrollment !== 'invited') return { outcome: 'wrong-state' }
    if (role !== 'owner' && owners.length === 1 && owners[0] === personId) return { outcome: 'last-owner' }
    const invitationId = person.enrollment === 'invited' ? person.invitationId : null
    const link = invitationId === null ? 'same' : await changeInvited(tx, invitationId, role, ownerId)
    let replaced = 0
    if (invitationId === null && person.role !== role) {
      replaced = await replaceKnownLinks(tx, [personId], role)
      await updateRole(tx, personId, role)
      await deleteSessionsOf(tx, personId)
    }
    await recordEvent(tx, { kind: 'role-changed', actorId: ownerId, personId, details: { role } })
    return { outcome: 'changed', link, replaced }
  })
}

/** Admins may have seen a link while it granted less: when the role rises, a new one goes out by email. */
async function changeInvited(tx: Db, id: number, role: Role, ownerId: number): Promise<NewLink> {
  await lockInvitation(tx, id)
  const invitation = await invitationOf(tx, id)
  await setInvitedRole(tx, id, role, ownerId)
  return includesRole(invitation.role, role) ? 'same' : replaceLink(tx, invitation)
}
