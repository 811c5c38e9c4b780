import { and, eq, lt, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { logoutTokens, providerAccounts } from '../db/schema.ts'

export type AccountRow = typeof providerAccounts.$inferSelect

/** The account that a provider identifies by issuer and subject (OpenID Connect Core 1.0, section 5.7). */
export async function findAccount(db: Db, issuer: string, subject: string): Promise<AccountRow | undefined> {
  const isIt = and(eq(providerAccounts.issuer, issuer), eq(providerAccounts.subject, subject))
  const [row] = await db.select().from(providerAccounts).where(isIt)
  return row
}

/** Links an account to a person; false when either of them is linked at this issuer already. */
export async function linkAccount(
  tx: Db,
  { personId, issuer, subject, email }: { personId: number; issuer: string; subject: string; email: string | null }
): Promise<boolean> {
  const rows = await tx
    .insert(providerAccounts)
    .values({ personId, issuer, subject, email, lastUsedAt: sql`now()` })
    .onConflictDoNothing()
    .returning({ id: providerAccounts.id })
  return rows.length > 0
}

export async function noteAccountUse(tx: Db, id: number, email: string | null): Promise<void> {
  await tx.update(providerAccounts).set({ email, lastUsedAt: sql`now()` }).where(eq(providerAccounts.id, id))
}

/** Unlinks a person's accounts at every provider; returns how many. */
export async function unlinkAccounts(tx: Db, personId: number): Promise<number> {
  const rows = await tx
    .delete(providerAccounts)
    .where(eq(providerAccounts.personId, personId))
    .returning({ id: providerAccounts.id })
  return rows.length
}

/** False when this logout token was used before. */
export async function useLogoutToken(tx: Db, issuer: string, jti: string): Promise<boolean> {
  const rows = await tx
    .insert(logoutTokens)
    .values({ issuer, jti })
    .onConflictDoNothing()
    .returning({ jti: logoutTokens.jti })
  return rows.length > 0
}

/** Older tokens are refused by their age. */
export async function forgetLogoutTokens(db: Db): Promise<void> {
  await db.delete(logoutTokens).where(lt(logoutTokens.seenAt, sql`now() - interval '1 hour'`))
}
