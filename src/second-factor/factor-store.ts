/** The secrets of authenticator apps, sealed, and digests of recovery codes. */
import { and, eq, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { recoveryCodes, totpSecrets } from '../db/schema.ts'

const setupMinutes = 15

const isUnconfirmed = and(
  isNull(totpSecrets.confirmedAt),
  sql`${totpSecrets.createdAt} > now() - make_interval(mins => ${setupMinutes})`
)
const isConfirmed = isNotNull(totpSecrets.confirmedAt)
const of = (personId: number) => eq(totpSecrets.personId, personId)

/** The sealed secret in use. */
export async function findTotp(db: Db, personId: number): Promise<Buffer | undefined> {
  const [row] = await db
    .select({ secret: totpSecrets.secret })
    .from(totpSecrets)
    .where(and(of(personId), isConfirmed))
  return row?.secret
}

/** The sealed secret that waits for its first code. */
export async function findUnconfirmed(db: Db, personId: number): Promise<Buffer | undefined> {
  const [row] = await db
    .select({ secret: totpSecrets.secret })
    .from(totpSecrets)
    .where(and(of(personId), isUnconfirmed))
  return row?.secret
}

/** False when the person has a secret in use. */
export async function saveUnconfirmed(tx: Db, personId: number, secret: Buffer): Promise<boolean> {
  const rows = await tx
    .insert(totpSecrets)
    .values({ personId, secret })
    .onConflictDoUpdate({
      target: totpSecrets.personId,
      set: { secret, createdAt: sql`now()`, lastCounter: 0 },
      setWhere: isNull(totpSecrets.confirmedAt)
    })
    .returning({ id: totpSecrets.personId })
  return rows.length > 0
}

/** False when another request confirmed it, or replaced the secret. */
export async function confirmTotp(tx: Db, personId: number, secret: Buffer, counter: number): Promise<boolean> {
  const rows = await tx
    .update(totpSecrets)
    .set({ confirmedAt: sql`now()`, lastCounter: counter })
    .where(and(of(personId), isUnconfirmed, eq(totpSecrets.secret, secret)))
    .returning({ id: totpSecrets.personId })
  return rows.length > 0
}

/** The only way to use a code up: of two requests with the same code, one moves the counter. */
export async function moveCounter(tx: Db, personId: number, counter: number): Promise<boolean> {
  const rows = await tx
    .update(totpSecrets)
    .set({ lastCounter: counter })
    .where(and(of(personId), isConfirmed, lt(totpSecrets.lastCounter, counter)))
    .returning({ id: totpSecrets.personId })
  return rows.length > 0
}

export async function deleteTotp(tx: Db, personId: number): Promise<boolean> {
  const rows = await tx.delete(totpSecrets).where(of(personId)).returning({ id: totpSecrets.personId })
  return rows.length > 0
}

export async function replaceRecoveryCodes(tx: Db, personId: number, hashes: Buffer[]): Promise<void> {
  await tx.delete(recoveryCodes).where(eq(recoveryCodes.personId, personId))
  if (hashes.length > 0) await tx.insert(recoveryCodes).values(hashes.map(codeHash => ({ personId, codeHash })))
}

export async function useRecoveryCode(tx: Db, personId: number, codeHash: Buffer): Promise<boolean> {
  const mine = and(eq(recoveryCodes.personId, personId), eq(recoveryCodes.codeHash, codeHash))
  const rows = await tx
    .update(recoveryCodes)
    .set({ usedAt: sql`now()` })
    .where(and(mine, isNull(recoveryCodes.usedAt)))
    .returning({ id: recoveryCodes.personId })
  return rows.length > 0
}

export async function countRecoveryCodes(db: Db, personId: number): Promise<number> {
  return db.$count(recoveryCodes, and(eq(recoveryCodes.personId, personId), isNull(recoveryCodes.usedAt)))
}

export async function sealedSecrets(db: Db): Promise<{ personId: number; secret: Buffer }[]> {
  return db.select({ personId: totpSecrets.personId, secret: totpSecrets.secret }).from(totpSecrets)
}

/** Only if it is still the same secret. */
export async function resealSecret(db: Db, personId: number, before: Buffer, after: Buffer): Promise<void> {
  await db
    .update(totpSecrets)
    .set({ secret: after })
    .where(and(of(personId), eq(totpSecrets.secret, before)))
}
