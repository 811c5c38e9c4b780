import { and, eq, isNotNull, isNull, or, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { type deliveryStates, people } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import { includesRole, type Role, RoleLost } from '../lib/role.ts'
import { enrollmentOf, isActiveOwner, mayAct } from './conditions.ts'
import type { Enrollment } from './person.ts'

export type PersonRow = typeof people.$inferSelect
export type DeliveryState = (typeof deliveryStates)[number]
export type Suppressed = 'bounced' | 'opted-out' | null

export async function findPerson(db: Db, id: number): Promise<(PersonRow & { enrollment: Enrollment }) | undefined> {
  const [row] = await db
    .select({ person: people, enrollment: enrollmentOf(people) })
    .from(people)
    .where(eq(people.id, id))
  return row && { ...row.person, enrollment: row.enrollment }
}

/** @throws when there is no such person. */
export async function personOf(db: Db, id: number) {
  const person = await findPerson(db, id)
  if (!person) throw new Error(`There is no person ${id}`)
  return person
}

/** Locks a person's row until the transaction ends: every action on a person starts here. */
export async function lockPerson(tx: Db, id: number): Promise<(PersonRow & { enrollment: Enrollment }) | undefined> {
  const rows = tx
    .select({ person: people, enrollment: enrollmentOf(people) })
    .from(people)
    .where(eq(people.id, id))
    .for('update')
  const [row] = await rows
  return row && { ...row.person, enrollment: row.enrollment }
}

export async function findUserByKey(db: Db, addressKey: string) {
  const isUser = and(eq(people.addressKey, addressKey), mayAct(people))
  const [row] = await db.select().from(people).where(isUser)
  return row
}

export async function currentRole(db: Db, id: number): Promise<Role | undefined> {
  const isActive = and(eq(people.id, id), mayAct(people))
  const [row] = await db.select({ role: people.role }).from(people).where(isActive)
  return row?.role
}

/** The actor's present role. Call it after all waits for locks. @throws RoleLost (403) when it is below `needed`. */
export async function requireRole(tx: Db, actorId: number, needed: Role): Promise<Role> {
  const role = await currentRole(tx, actorId)
  if (role === undefined || !includesRole(role, needed)) throw new RoleLost()
  return role
}

export async function findPersonByKey(db: Db, addressKey: string): Promise<number | undefined> {
  const [row] = await db.select({ id: people.id }).from(people).where(eq(people.addressKey, addressKey))
  return row?.id
}

/** The person with this address, here or in the directory. */
export async function findByAddress(db: Db, addressKey: string): Promise<PersonRow | undefined> {
  const own = eq(people.addressKey, addressKey)
  const [row] = await db
    .select()
    .from(people)
    .where(or(own, eq(people.directoryMailKey, addressKey)))
    .orderBy(sql`${own} desc`, people.id)
    .limit(1)
  return row
}

/** A person without an invitation. Hold `lockAddresses`. */
export async function insertPerson(tx: Db, person: { email: string; addressKey: string }): Promise<number> {
  return first(await tx.insert(people).values(person).returning({ id: people.id })).id
}

/** A user who was never invited: the first owner. */
export async function insertUser(
  tx: Db,
  user: { email: string; addressKey: string; name: string; role: Role; passwordHash: string }
): Promise<number> {
  const row = first(
    await tx
      .insert(people)
      .values({ ...user, signedUpAt: sql`now()` })
      .returning({ id: people.id })
  )
  return row.id
}

export async function signUpPerson(
  tx: Db,
  id: number,
  user: { name: string; role: Role; passwordHash: string | null }
): Promise<void> {
  const isNew = and(eq(people.id, id), isNull(people.signedUpAt))
  const rows = await tx
    .update(people)
    .set({ ...user, signedUpAt: sql`now()` })
    .where(isNew)
    .returning({ id: people.id })
  if (rows.length === 0) throw new Error('an open invitation belonged to a person who had signed up')
}

export type Profile = Pick<PersonRow, 'name' | 'theme' | 'timeZone' | 'shortcuts'>

export async function updateProfile(db: Db, id: number, profile: Profile): Promise<void> {
  await db.update(people).set(profile).where(eq(people.id, id))
}

export async function updatePassword(db: Db, id: number, passwordHash: string): Promise<void> {
  await db.update(people).set({ passwordHash }).where(eq(people.id, id))
}

export async function updateRole(tx: Db, id: number, role: Role): Promise<void> {
  await tx.update(people).set({ role }).where(eq(people.id, id))
}

/** `deactivatedAt`: the database's clock, or null to reactivate. Changes only users. */
export async function setDeactivated(tx: Db, ids: number[], isDeactivated: boolean): Promise<void> {
  const isOne = sql`${people.id} = any(${sql.param(ids)}::bigint[])`
  const isOther = isDeactivated ? mayAct(people) : isNotNull(people.deactivatedAt)
  await tx
    .update(people)
    .set({ deactivatedAt: isDeactivated ? sql`now()` : null })
    .where(and(isOne, isOther))
}

/** Serializes adding, inviting and mass changes: no deadlocks. Take it after the owners' lock, before people's rows. */
export async function lockAddresses(tx: Db): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('rollcall:invite'))`)
}

/** No user loses a role or the account until the transaction ends. Take it before every other lock. */
export async function holdRoles(tx: Db): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock_shared(hashtext('rollcall:owners'))`)
}

/** Locks and returns the active owners. One lock, before any person's row: row locks could deadlock. */
export async function lockOwners(tx: Db): Promise<number[]> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('rollcall:owners'))`)
  const rows = await tx.select({ id: people.id }).from(people).where(isActiveOwner(people))
  return rows.map(row => row.id)
}

export async function ownersOf(db: Db): Promise<number[]> {
  return (await db.select({ id: people.id }).from(people).where(isActiveOwner(people))).map(({ id }) => id)
}

/** All but the last active owner. Locks the owners. */
export async function withoutLastOwner(tx: Db, ids: number[]): Promise<number[]> {
  const owners = await lockOwners(tx)
  const isLast = owners.length > 0 && owners.every(owner => ids.includes(owner))
  return isLast ? ids.filter(id => id !== owners[0]) : ids
}
