import { and, desc, eq, isNotNull, isNull, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../db/client.ts'
import { invitations, people, suppressions } from '../db/schema.ts'
import type { Role } from '../lib/role.ts'
import { isActiveOwner } from '../people/conditions.ts'
import { showExtended, showRevoked } from '../people/newest-invitation-store.ts'
import { isOpen, isUnanswered } from './conditions.ts'

const inviter = alias(people, 'inviter')
const isExpired = sql<boolean>`${invitations.expiresAt} <= now()`
const isGrantValid = sql<boolean>`exists (
  select from people granter where granter.id = ${invitations.roleGrantedBy} and ${isActiveOwner(sql`granter`)})`

const columns = {
  id: invitations.id,
  personId: invitations.personId,
  batchId: invitations.batchId,
  role: invitations.role,
  roleGrantedBy: invitations.roleGrantedBy,
  isGrantValid,
  createdAt: invitations.createdAt,
  expiresAt: invitations.expiresAt,
  acceptedAt: invitations.acceptedAt,
  revokedAt: invitations.revokedAt,
  supersededAt: invitations.supersededAt,
  requestedAt: invitations.requestedAt,
  neverSent: invitations.neverSent,
  nonce: invitations.nonce,
  tokenHash: invitations.tokenHash,
  isExpired,
  email: people.email,
  addressKey: people.addressKey,
  inviterName: inviter.name,
  isSuppressed: sql<boolean>`${suppressions.addressKey} is not null`
}

async function readInvitations(db: Db, which: SQL | undefined, limit = 1) {
  return db
    .select(columns)
    .from(invitations)
    .innerJoin(people, eq(people.id, invitations.personId))
    .leftJoin(inviter, eq(inviter.id, invitations.invitedBy))
    .leftJoin(suppressions, eq(suppressions.addressKey, people.addressKey))
    .where(which)
    .orderBy(desc(invitations.id))
    .limit(limit)
}

export type InvitationRow = Awaited<ReturnType<typeof readInvitations>>[number]

export async function findInvitation(db: Db, id: number): Promise<InvitationRow | undefined> {
  const [row] = await readInvitations(db, eq(invitations.id, id))
  return row
}

export async function invitationOf(db: Db, id: number): Promise<InvitationRow> {
  const invitation = await findInvitation(db, id)
  if (!invitation) throw new Error(`There is no invitation ${id}`)
  return invitation
}

export async function findByTokenHash(db: Db, tokenHash: Buffer): Promise<InvitationRow | undefined> {
  const [row] = await readInvitations(db, and(eq(invitations.tokenHash, tokenHash), isNotNull(invitations.tokenHash)))
  return row
}

export async function findOpenInvitation(db: Db, personId: number): Promise<InvitationRow | undefined> {
  const [row] = await readInvitations(db, and(eq(invitations.personId, personId), isOpen(invitations)))
  return row
}

export async function invitationsOf(db: Db, personId: number): Promise<InvitationRow[]> {
  return readInvitations(db, eq(invitations.personId, personId), 200)
}

/** Restarts the period of an open invitation, also in the person's copy. */
export async function extendInvitation(tx: Db, id: number, personId: number, days: number): Promise<void> {
  const expiresAt = sql`now() + make_interval(days => ${days})`
  await tx.update(invitations).set({ expiresAt, requestedAt: null }).where(eq(invitations.id, id))
  await showExtended(tx, { id, personId }, days)
}

export async function closeAsRevoked(tx: Db, id: number): Promise<boolean> {
  return (await revoke(tx, eq(invitations.id, id))).length > 0
}

export async function revokeInvitationsOf(tx: Db, personIds: number[]): Promise<void> {
  await revoke(tx, sql`${invitations.personId} = any(${sql.param(personIds)}::bigint[])`)
}

/** Also in the people's copies. Returns the ids of the revoked. */
export async function revoke(tx: Db, which: SQL): Promise<number[]> {
  const { id, personId } = invitations
  const rows = await tx
    .update(invitations)
    .set({ revokedAt: sql`now()` })
    .where(and(which, isUnanswered(invitations)))
    .returning({ id, personId })
  await showRevoked(tx, rows)
  return rows.map(row => row.id)
}

/** The only way to use up a link: one conditional update. Undefined when it is expired, revoked, replaced or used. */
export const consume = (tx: Db, tokenHash: Buffer) => useUp(tx, eq(invitations.tokenHash, tokenHash))

/** Uses up the open invitation of a person who has proved to be the invited one in another way. */
export const consumeOf = (tx: Db, personId: number) => useUp(tx, eq(invitations.personId, personId))

async function useUp(tx: Db, which: SQL) {
  const { id, personId, batchId, role, roleGrantedBy } = invitations
  const [row] = await tx
    .update(invitations)
    .set({ acceptedAt: sql`now()` })
    .where(and(which, isOpen(invitations)))
    .returning({ id, personId, batchId, role, roleGrantedBy })
  return row
}

export async function setInvitedRole(tx: Db, id: number, role: Role, grantedBy: number): Promise<void> {
  await tx
    .update(invitations)
    .set({ role, roleGrantedBy: role === 'member' ? null : grantedBy })
    .where(and(eq(invitations.id, id), isUnanswered(invitations)))
}

export async function noteRequest(tx: Db, id: number): Promise<boolean> {
  const isFirst = and(eq(invitations.id, id), isNull(invitations.requestedAt))
  return (
    (await tx.update(invitations).set({ requestedAt: sql`now()` }).where(isFirst).returning({ id: invitations.id }))
      .length > 0
  )
}

/** Requests that no new invitation has answered, oldest first. */
export async function openRequests(db: Db, limit: number) {
  return db
    .select({
      personId: people.id,
      email: people.email,
      name: people.name,
      requestedAt: sql<Date>`${invitations.requestedAt}`.mapWith(invitations.requestedAt),
      invitationId: invitations.id,
      isOpen: sql<boolean>`${isOpen(invitations)}`
    })
    .from(invitations)
    .innerJoin(people, and(eq(people.id, invitations.personId), eq(people.invitationId, invitations.id)))
    .where(and(isNotNull(invitations.requestedAt), isNull(people.signedUpAt)))
    .orderBy(invitations.requestedAt)
    .limit(limit)
}
