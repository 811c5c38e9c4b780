/** Sessions that began at a provider, for single logout. */
import { and, eq, isNotNull } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { providerAccounts, sessions } from '../db/schema.ts'

export interface ProviderSession {
  issuer: string
  subject: string
  /** The provider's own session (`sid`); null: it named none. */
  providerSession: string | null
  /** The ID token, sealed. */
  idToken: Buffer | null
}

/** What a session knows of the provider; undefined for another kind of session. */
export async function findProviderSession(db: Db, id: number): Promise<ProviderSession | undefined> {
  const { issuer, subject, providerSession, idToken } = sessions
  const [row] = await db.select({ issuer, subject, providerSession, idToken }).from(sessions).where(eq(sessions.id, id))
  return row?.issuer && row.subject ? { ...row, issuer: row.issuer, subject: row.subject } : undefined
}

/** The accounts at providers that sign a person in. */
export async function linkedAccountsOf(db: Db, personId: number) {
  return db.select().from(providerAccounts).where(eq(providerAccounts.personId, personId)).orderBy(providerAccounts.id)
}

export async function deleteProviderSessionsOf(tx: Db, personId: number): Promise<number> {
  const theirs = and(eq(sessions.personId, personId), isNotNull(sessions.issuer))
  return (await tx.delete(sessions).where(theirs).returning({ id: sessions.id })).length
}

/** Ends sessions that began at a provider: one of its sessions, or all of a subject. Returns how many. */
export async function deleteProviderSessions(
  tx: Db,
  { issuer, sid, subject }: { issuer: string; sid: string | undefined; subject: string | undefined }
): Promise<number> {
  const which = sid === undefined ? eq(sessions.subject, subject ?? '') : eq(sessions.providerSession, sid)
  const ofSubject = subject === undefined ? undefined : eq(sessions.subject, subject)
  const rows = await tx
    .delete(sessions)
    .where(and(eq(sessions.issuer, issuer), which, ofSubject))
    .returning({ id: sessions.id })
  return rows.length
}
