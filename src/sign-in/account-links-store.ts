/** One-time links to an account: only their hash is here. */
import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, int, orNull, rowsOf, text } from '../db/rows.ts'
import { accountLinks } from '../db/schema.ts'
import { first } from '../lib/ends.ts'

export type LinkPurpose = 'password' | 'sign-in'

export interface NewLink {
  personId: number
  purpose: LinkPurpose
  tokenHash: Buffer
  minutes: number
}

/** A link that exists keeps its end. Returns that, as ISO text. */
export async function addLink(tx: Db, { personId, purpose, tokenHash, minutes }: NewLink): Promise<string> {
  const rows = await rowsOf(tx, { expiresAt: text })`
    insert into account_links (token_hash, person_id, purpose, expires_at)
    values (${tokenHash}, ${personId}, ${purpose}, now() + make_interval(mins => ${minutes}))
    on conflict (token_hash) do update set expires_at = account_links.expires_at
    returning to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as expires_at`
  return first(rows).expiresAt
}

export type LinkState = 'open' | 'used' | 'expired'

export async function findLink(
  db: Db,
  tokenHash: Buffer,
  purpose: LinkPurpose
): Promise<{ personId: number; state: LinkState } | undefined> {
  const { personId, usedAt, expiresAt } = accountLinks
  const state = sql<LinkState>`case when ${usedAt} is not null then 'used' when ${expiresAt} <= now() then 'expired' else 'open' end`
  const mine = and(eq(accountLinks.tokenHash, tokenHash), eq(accountLinks.purpose, purpose))
  const [row] = await db.select({ personId, state }).from(accountLinks).where(mine)
  return row
}

/** The only way to use a link up: one conditional update. */
export async function useLink(tx: Db, tokenHash: Buffer, purpose: LinkPurpose): Promise<number | undefined> {
  const isOpen = and(isNull(accountLinks.usedAt), gt(accountLinks.expiresAt, sql`now()`))
  const [row] = await tx
    .update(accountLinks)
    .set({ usedAt: sql`now()` })
    .where(and(eq(accountLinks.tokenHash, tokenHash), eq(accountLinks.purpose, purpose), isOpen))
    .returning({ personId: accountLinks.personId })
  return row?.personId
}

/** Ends the other links of the same purpose: what they were for was done. */
export async function closeLinks(tx: Db, personId: number, purpose: LinkPurpose): Promise<void> {
  await tx
    .update(accountLinks)
    .set({ usedAt: sql`now()` })
    .where(and(eq(accountLinks.personId, personId), eq(accountLinks.purpose, purpose), isNull(accountLinks.usedAt)))
}

export async function deleteOldLinks(db: Db): Promise<void> {
  await db.delete(accountLinks).where(sql`${accountLinks.expiresAt} < now() - interval '1 day'`)
}

const letterColumns = {
  id: int,
  email: text,
  name: orNull(text),
  organization: text,
  timeZone: text,
  queuedAt: text,
  isActive: bool,
  hasProvider: bool,
  hasDirectory: bool,
  hasPasskey: bool,
  codesLeft: int,
  about: orNull(text)
}

export type AccountLetter = Awaited<ReturnType<typeof readAccountLetters>>[number]

/** What emails about accounts tell. `events`: for emails to owners, the kind of event that each kind is about. */
export async function readAccountLetters(tx: Db, ids: number[], events: Record<string, string>) {
  return rowsOf(tx, letterColumns)`
    select d.id, p.email, p.name, s.organization, s.time_zone, d.queued_at::text as queued_at, p.stage = 'signed-up' as is_active,
      exists (select from oidc_providers where id = 1) as has_provider,
      p.directory_id is not null as has_directory,
      exists (select from passkeys k where k.person_id = p.id) as has_passkey,
      (select count(*)::int from recovery_codes c where c.person_id = p.id and c.used_at is null) as codes_left,
      (select coalesce(e.person_name || ' (' || e.person_email || ')', e.person_email) from events e
        where e.kind = ${sql.param(JSON.stringify(events))}::text::jsonb ->> d.kind and e.at <= d.queued_at
        order by e.id desc limit 1) as about
    from deliveries d join people p on p.id = d.person_id join settings s on true
    where d.id = any(${sql.param(ids)}::bigint[])`
}
