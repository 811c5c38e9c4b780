import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { cancelQueued, peopleWithMail } from '../mail/store.ts'
import {
  currentRole,
  lockAddresses,
  lockOwners,
  lockPerson,
  setDeactivated,
  withoutLastOwner
} from '../people/store.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import type { Ending } from './inviter-store.ts'
import { endWithInviters } from './replace-links.ts'
import { revokeInvitationsOf } from './store.ts'

export type DeactivateOutcome =
  | ({ outcome: 'done' } & Ended)
  | { outcome: 'last-owner' }
  | { outcome: 'unknown' | 'wrong-state' | 'role-too-small' }

interface Ended {
  ended: number
  replaced: number
}

/** Admins deactivate members and auditors, owners all but the last owner. `ending`: which sent invitations end too. */
export async function deactivate(
  db: Database,
  actorId: number,
  personId: number,
  ending: Ending = 'none'
): Promise<DeactivateOutcome> {
  return transaction(db, async tx => {
    await lockOwners(tx)
    await lockAddresses(tx)
    const person = await lockPerson(tx, personId)
    if (!person) return { outcome: 'unknown' }
    if (person.enrollment !== 'signed-up') return { outcome: 'wrong-state' }
    if (!mayChange(await currentRole(tx, actorId), person.role)) return { outcome: 'role-too-small' }
    const { left, ...ended } = await deactivatePeople(tx, [personId], ending, 'the person was deactivated')
    if (left.length === 0) return { outcome: 'last-owner' }
    await recordEvent(tx, { kind: 'person-deactivated', actorId, personId })
    return { outcome: 'done', ...ended }
  })
}

/** Deactivates users, except the last owner, and ends what they could do. Hold the owners' and addresses' locks. */
export async function deactivatePeople(
  tx: Db,
  ids: number[],
  ending: Ending,
  reason: string
): Promise<Ended & { left: number[] }> {
  const left = await withoutLastOwner(tx, ids)
  if (left.length === 0) return { left, ended: 0, replaced: 0 }
  await setDeactivated(tx, left, true)
  await deleteSessionsOf(tx, left)
  await revokeInvitationsOf(tx, left)
  const ended = await endWithInviters(tx, left, ending)
  for (const personId of await peopleWithMail(tx, left)) await cancelQueued(tx, { personId }, reason)
  return { left, ...ended }
}

/** Owners change admins and owners; admins may change the others, too. Checks the actor's role as it is now. */
const mayChange = (actor: Role | undefined, person: Role) =>
  actor !== undefined && includesRole(actor, includesRole(person, 'admin') ? 'owner' : 'admin')

export type ReactivateOutcome = { outcome: 'done' } | { outcome: 'unknown' | 'wrong-state' | 'role-too-small' }

export async function reactivate(db: Database, actorId: number, personId: number): Promise<ReactivateOutcome> {
  return transaction(db, async tx => {
    const person = await lockPerson(tx, personId)
    if (!person) return { outcome: 'unknown' }
    if (person.enrollment !== 'deactivated') return { outcome: 'wrong-state' }
    if (!mayChange(await currentRole(tx, actorId), person.role)) return { outcome: 'role-too-small' }
    await setDeactivated(tx, [personId], false)
    await recordEvent(tx, { kind: 'person-reactivated', actorId, personId })
    return { outcome: 'done' }
  })
}
