import { and, eq, inArray, isNotNull, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, oneOf, rowsOf } from '../db/rows.ts'
import { deliveries, formerLinks, invitations, roles } from '../db/schema.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { isOpen } from './conditions.ts'
import { findInvitation, type InvitationRow } from './store.ts'

/** Blocks emails that would create the invitation's link. Hold its person's lock. */
export async function lockInvitation(tx: Db, id: number): Promise<void> {
  await tx.select({ id: invitations.id }).from(invitations).where(eq(invitations.id, id)).for('no key update')
}

/** Writes the secret half of a link, replacing a former one. Hold the invitation's lock. */
export async function writeNonce(tx: Db, id: number, nonce: Buffer, tokenHash: Buffer): Promise<void> {
  await keepFormerLinks(tx, [id])
  await tx.update(invitations).set({ nonce, tokenHash }).where(eq(invitations.id, id))
}

/** Ends links of open invitations: the next email gets a new one. Returns the ids that had one. Hold their locks. */
export async function dropLinks(tx: Db, ids: number[]): Promise<number[]> {
  if (ids.length === 0) return []
  await keepFormerLinks(tx, ids)
  const rows = await tx
    .update(invitations)
    .set({ nonce: null, tokenHash: null })
    .where(and(inArray(invitations.id, ids), isNotNull(invitations.tokenHash)))
    .returning({ id: invitations.id })
  return rows.map(({ id }) => id)
}

async function keepFormerLinks(tx: Db, ids: number[]) {
  await tx.execute(sql`
    insert into ${formerLinks} (token_hash, invitation_id)
    select token_hash, id from ${invitations} where id = any(${sql.param(ids)}::bigint[]) and token_hash is not null
    on conflict do nothing`)
}

export async function findByFormerLink(db: Db, tokenHash: Buffer): Promise<InvitationRow | undefined> {
  const [former] = await db
    .select({ id: formerLinks.invitationId })
    .from(formerLinks)
    .where(eq(formerLinks.tokenHash, tokenHash))
  return former && findInvitation(db, former.id)
}

/** Open invitations above `role` whose links these users saw, also in the outbox. Locks the invited people by id. */
export async function linksKnownTo(tx: Db, userIds: number[], role: Role | null): Promise<number[]> {
  const rankOf = (role: SQL) => sql`coalesce(array_position(array['member', 'auditor', 'admin', 'owner'], ${role}), 0)`
  const users = sql`select id, role from people where id = any(${sql.param(userIds)}::bigint[])`
  const mayRead = sql`u.role in ('admin', 'owner') and ${rankOf(sql`u.role`)} >= ${rankOf(sql`i.role`)}`
  const rows = await rowsOf(tx, { id: int })`
    with seen as materialized (
      select person_id, false as in_outbox from events where actor_id = any(${sql.param(userIds)}::bigint[]) and kind = 'link-shown'
      union select person_id, true from events where kind = 'role-changed'
        and exists (select from (${users}) u where u.role in ('admin', 'owner'))
    )
    select i.id from seen s join people p on p.id = s.person_id join ${invitations} i on i.id = p.invitation_id
    where ${isOpen(sql`i`)}
      and i.token_hash is not null and ${rankOf(sql`i.role`)} > ${rankOf(sql`${role}::text`)}
      and (not s.in_outbox or i.role <> 'member' and exists (select from (${users}) u where ${mayRead})
        and exists (select from ${deliveries} d where d.person_id = p.id and d.invitation_id = i.id and d.is_kept))
    order by p.id for no key update of p`
  return [...new Set(rows.map(({ id }) => id))]
}

export async function someOpenLinks(db: Db, limit: number): Promise<{ nonce: Buffer; tokenHash: Buffer }[]> {
  const { nonce, tokenHash } = invitations
  const rows = await db
    .select({ nonce, tokenHash })
    .from(invitations)
    .where(and(isNotNull(tokenHash), isOpen(invitations)))
    .limit(limit)
  return rows.flatMap(({ nonce, tokenHash }) => (nonce && tokenHash ? [{ nonce, tokenHash }] : []))
}

/** By the delivery's id and by the email's link: the folder may be older than the database. The higher role counts. */
export async function rolesBehind(
  db: Db,
  mails: { id: number; tokenHash: Buffer | null; holdsAccountLink: boolean }[]
): Promise<Map<number, Role>> {
  const ids = sql.param(mails.map(({ id }) => id))
  const hashes = sql.param(mails.map(({ tokenHash }) => tokenHash?.toString('hex') ?? ''))
  const rows = await rowsOf(db, { id: int, role: oneOf(roles) })`
    select m.id, i.role from unnest(${ids}::bigint[], ${hashes}::text[]) as m(id, hash)
    cross join lateral (
      select d.invitation_id as id from ${deliveries} d where d.id = m.id
      union all select l.id from ${invitations} l where l.token_hash = decode(m.hash, 'hex')
      union all select f.invitation_id from ${formerLinks} f where f.token_hash = decode(m.hash, 'hex')
    ) as found join ${invitations} i on i.id = found.id`
  // an email about an account may hold a link to it: only owners read those
  const isAccount = sql`id = any(${ids}::bigint[]) and kind <> 'invitation'`
  const accounts = await rowsOf(db, { id: int })`select id from ${deliveries} where ${isAccount}`
  const found = new Map<number, Role>(accounts.map(({ id }) => [id, 'owner']))
  for (const { id, holdsAccountLink } of mails) if (holdsAccountLink) found.set(id, 'owner')
  for (const { id, role } of rows) {
    const known = found.get(id)
    if (!known || includesRole(role, known)) found.set(id, role)
  }
  return found
}

/** Whether this admin saw or copied the link in the last ten minutes: reloading a page is not a new event. */
export async function wasJustShown(tx: Db, actorId: number, personId: number, how: string): Promise<boolean> {
  const rows = await tx.execute(sql`
    select from events where person_id = ${personId} and kind = 'link-shown' and actor_id = ${actorId}
      and details ->> 'how' = ${how} and at > now() - interval '10 minutes' limit 1`)
  return rows.length > 0
}
