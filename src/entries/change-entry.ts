import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { type DirectoryDeps, directoryOf } from '../directory/settings.ts'
import { endWithInviters } from '../invitations/replace-links.ts'
import { closeAsRevoked } from '../invitations/store.ts'
import { type DirectoryPerson, DirectoryProblem } from '../ldap/directory.ts'
import { readName } from '../lib/name.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { cancelQueued } from '../mail/store.ts'
import { unlinkAccounts } from '../oidc/accounts-store.ts'
import { bindEntry, findByEntry, giveToAnother, letDirectoryPasswordIn, unbindEntry } from '../people/entry-store.ts'
import type { Enrollment } from '../people/person.ts'
import { currentRole, lockAddresses, lockOwners, lockPerson, type PersonRow } from '../people/store.ts'
import { dropFactors } from '../second-factor/remove-factors.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import { lockGroupsOf, readGroupsAgain } from '../sync/read-again-store.ts'
import { leaveOwnTeams, lockOwnTeams } from '../teams/directory-store.ts'
import { worthOf } from './entries-store.ts'

/** `same`: the person has a new entry. `other`: the account is given to another person. */
export type Holder = 'same' | 'other'

export type EntryOutcome =
  | {
      outcome: 'done' | 'unknown' | 'wrong-state' | 'role-too-small' | 'last-owner' | 'no-entry' | 'entry-unusable'
    }
  | { outcome: 'entry-taken'; personId: number }
  | { outcome: 'unavailable'; reason: string }

type Person = PersonRow & { enrollment: Enrollment }

/** The entry must exist now. Admins decide about members and auditors, owners about everyone. Ends all sessions. */
export async function bindTo(
  deps: DirectoryDeps,
  actorId: number,
  personId: number,
  entryId: string,
  holder: Holder
): Promise<EntryOutcome> {
  const found = await lookUp(deps, entryId)
  if ('outcome' in found) return found
  return transaction(deps.db, async tx => {
    const ownerId = await findByEntry(tx, entryId)
    const affected = ownerId === undefined ? [personId] : [personId, ownerId]
    await lockGroupsOf(tx, affected)
    const teams = holder === 'other' ? await lockOwnTeams(tx, personId) : []
    const locked = await lockFor(tx, actorId, personId)
    if ('outcome' in locked) return locked
    const { person, owners } = locked
    if (person.directoryId === entryId) return { outcome: 'wrong-state' }
    if (holder === 'other' && owners.length === 1 && owners[0] === personId) return { outcome: 'last-owner' }
    const taken = await takeFrom(tx, await findByEntry(tx, entryId))
    if (taken) return taken
    await readGroupsAgain(tx, affected)
    await bindEntry(tx, personId, { id: entryId, dn: found.dn }, 'admin')
    if (holder === 'other') await renew(tx, person, readName(found.name ?? '') ?? null, teams)
    await deleteSessionsOf(tx, personId)
    const details = { before: person.directoryDn, entry: found.dn, holder }
    await recordEvent(tx, { kind: 'entry-changed', actorId, personId, details })
    return { outcome: 'done' }
  })
}

/** Its password no longer works here, and its groups count for no one here. */
export async function separate(db: Database, actorId: number, personId: number): Promise<EntryOutcome> {
  return transaction(db, async tx => {
    await lockGroupsOf(tx, [personId])
    const locked = await lockFor(tx, actorId, personId)
    if ('outcome' in locked) return locked
    const { person, owners } = locked
    if (person.directoryId === null) return { outcome: 'wrong-state' }
    if (owners.length === 1 && owners[0] === personId && person.passwordHash === null) return { outcome: 'last-owner' }
    await readGroupsAgain(tx, [personId])
    await unbindEntry(tx, personId)
    await deleteSessionsOf(tx, personId)
    await recordEvent(tx, { kind: 'entry-separated', actorId, personId, details: { entry: person.directoryDn } })
    return { outcome: 'done' }
  })
}

/** An owner decides in place of the person's Rollcall password: the entry's password also opens the account. */
export async function letPasswordIn(db: Database, actorId: number, personId: number): Promise<EntryOutcome> {
  return transaction(db, async tx => {
    const locked = await lockFor(tx, actorId, personId)
    if ('outcome' in locked) return locked
    const { person } = locked
    if ((await currentRole(tx, actorId)) !== 'owner') return { outcome: 'role-too-small' }
    const isOpen = person.passwordHash === null || person.directoryPasswordAt !== null
    if (person.enrollment !== 'signed-up' || person.directoryId === null || isOpen) return { outcome: 'wrong-state' }
    await letDirectoryPasswordIn(tx, personId)
    const details = { entry: person.directoryDn }
    await recordEvent(tx, { kind: 'directory-linked', actorId, personId, details })
    return { outcome: 'done' }
  })
}

async function lookUp(deps: DirectoryDeps, entryId: string): Promise<DirectoryPerson | EntryOutcome> {
  const opened = await directoryOf(deps)
  if ('problem' in opened) return { outcome: 'unavailable', reason: opened.problem }
  try {
    const [entry] = await opened.directory.findPeople([entryId])
    if (!entry) return { outcome: 'no-entry' }
    return entry.isDisabled || entry.isExcluded ? { outcome: 'entry-unusable' } : entry
  } catch (error) {
    if (error instanceof DirectoryProblem) return { outcome: 'unavailable', reason: error.message }
    throw error
  }
}

/** Locks the person, in the usual order, and checks both roles as they are now. */
export async function lockFor(
  tx: Db,
  actorId: number,
  personId: number
): Promise<{ person: Person; owners: number[] } | { outcome: 'unknown' | 'role-too-small' }> {
  const owners = await lockOwners(tx)
  await lockAddresses(tx)
  const person = await lockPerson(tx, personId)
  if (!person) return { outcome: 'unknown' }
  const role = await currentRole(tx, actorId)
  return role && (await mayDecide(tx, role, personId)) ? { person, owners } : { outcome: 'role-too-small' }
}

/** Counts what accounts and open invitations grant now. */
export async function mayDecide(db: Db, role: Role, personId: number): Promise<boolean> {
  return includesRole(role, includesRole(await worthOf(db, personId), 'admin') ? 'owner' : 'admin')
}

/** A person who is only known loses the entry; one with an account or an open invitation keeps it. */
async function takeFrom(tx: Db, ownerId: number | undefined): Promise<EntryOutcome | undefined> {
  const owner = ownerId === undefined ? undefined : await lockPerson(tx, ownerId)
  if (!owner) return undefined
  if (owner.signedUpAt !== null || owner.enrollment === 'invited') return { outcome: 'entry-taken', personId: owner.id }
  await unbindEntry(tx, owner.id)
  return undefined
}

async function renew(tx: Db, person: Person, name: string | null, teams: number[]) {
  // the former holder leaves, as by a deactivation
  await endWithInviters(tx, [person.id], 'typed')
  await giveToAnother(tx, person.id, name)
  await unlinkAccounts(tx, person.id)
  await dropFactors(tx, person.id)
  await leaveOwnTeams(tx, person.id, teams)
  await cancelQueued(tx, { personId: person.id }, 'the account was handed over')
  if (person.invitationId !== null) await closeAsRevoked(tx, person.invitationId)
}
