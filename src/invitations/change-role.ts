import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import type { Role } from '../lib/role.ts'
import { lockOwners, lockPerson, updateRole } from '../people/store.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import { setInvitedRole } from './store.ts'

export type RoleOutcome = { outcome: 'changed' | 'unknown' | 'wrong-state' | 'last-owner' }

/**
 * Gives a user another role, or somebody with an open invitation the role that they will sign up with. A user's
 * sessions end, so that none of them outlives the role that it began with (ASVS 7.2.4). The last owner stays owner.
 */
export async function changeRole(db: Database, ownerId: number, personId: number, role: Role): Promise<RoleOutcome> {
  return transaction(db, async tx => {
    const owners = await lockOwners(tx)
    const person = await lockPerson(tx, personId)
    if (!person) return { outcome: 'unknown' }
    if (person.enrollment !== 'signed-up' && person.enrollment !== 'invited') return { outcome: 'wrong-state' }
    if (role !== 'owner' && owners.length === 1 && owners[0] === personId) return { outcome: 'last-owner' }
    if (person.enrollment === 'invited') {
      await setInvitedRole(tx, person.invitationId!, role, ownerId)
    } else if (person.role !== role) {
      await updateRole(tx, personId, role)
      await deleteSessionsOf(tx, personId)
    }
    await recordEvent(tx, { kind: 'role-changed', actorId: ownerId, personId, details: { role } })
    return { outcome: 'changed' }
  })
}
