import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { currentRole, lockAddresses, lockOwners, lockPerson, setDeactivated } from '../people/store.ts'
import { deleteSessionsOf } from './store.ts'

export type DeactivateOutcome = { outcome: 'done' | 'unknown' | 'wrong-state' | 'last-owner' | 'role-too-small' }

/**
 * Deactivates a user. An admin may do so with members and auditors, an owner with everybody but the last owner. Their
 * sessions end at once and for good: none of them comes back when the user is reactivated. `alongside` happens in the same
 * transaction: what else ends with it.
 */
export async function deactivate(
  db: Database,
  actorId: number,
  personId: number,
  alongside: (tx: Db) => Promise<void> = async () => {}
): Promise<DeactivateOutcome> {
  return transaction(db, async tx => {
    const owners = await lockOwners(tx)
    await lockAddresses(tx)
    const person = await lockPerson(tx, personId)
    if (!person) return { outcome: 'unknown' }
    if (person.enrollment !== 'signed-up') return { outcome: 'wrong-state' }
    if (!mayChange(await currentRole(tx, actorId), person.role)) return { outcome: 'role-too-small' }
    if (owners.length === 1 && owners[0] === personId) return { outcome: 'last-owner' }
    await setDeactivated(tx, personId, true)
    await deleteSessionsOf(tx, personId)
    await alongside(tx)
    await recordEvent(tx, { kind: 'person-deactivated', actorId, personId })
    return { outcome: 'done' }
  })
}

/** Admins and owners are changed by owners; the others by admins, too. The actor's role is asked at this moment. */
const mayChange = (actor: Role | undefined, person: Role) =>
  actor !== undefined && includesRole(actor, includesRole(person, 'admin') ? 'owner' : 'admin')

/** Lets a deactivated user sign in again, under the same rule about roles. */
export async function reactivate(db: Database, actorId: number, personId: number): Promise<DeactivateOutcome> {
  return transaction(db, async tx => {
    const person = await lockPerson(tx, personId)
    if (!person) return { outcome: 'unknown' }
    if (person.enrollment !== 'deactivated') return { outcome: 'wrong-state' }
    if (!mayChange(await currentRole(tx, actorId), person.role)) return { outcome: 'role-too-small' }
    await setDeactivated(tx, personId, false)
    await recordEvent(tx, { kind: 'person-reactivated', actorId, personId })
    return { outcome: 'done' }
  })
}
