/** Passkeys and the challenges that they sign: a challenge is deleted as it is read. */
import { and, asc, eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, int, orNull, rowsOf } from '../db/rows.ts'
import { passkeyChallenges, passkeys } from '../db/schema.ts'

const challengeMinutes = 5

export async function passkeysOf(db: Db, personId: number) {
  return db.select().from(passkeys).where(eq(passkeys.personId, personId)).orderBy(asc(passkeys.id))
}

export type PasskeyRow = Awaited<ReturnType<typeof passkeysOf>>[number]

export async function findPasskey(db: Db, credentialId: Buffer): Promise<PasskeyRow | undefined> {
  const [row] = await db.select().from(passkeys).where(eq(passkeys.credentialId, credentialId))
  return row
}

export async function anyPasskey(db: Db): Promise<boolean> {
  return (await db.select({ id: passkeys.id }).from(passkeys).limit(1)).length > 0
}

export type NewPasskey = Pick<PasskeyRow, 'personId' | 'credentialId' | 'publicKey' | 'counter' | 'transports' | 'name'>

/** False when the key is registered already. */
export async function insertPasskey(tx: Db, passkey: NewPasskey): Promise<boolean> {
  return (await tx.insert(passkeys).values(passkey).onConflictDoNothing().returning({ id: passkeys.id })).length > 0
}

const mineOf = (personId: number, id: number) => and(eq(passkeys.personId, personId), eq(passkeys.id, id))

export async function renamePasskey(tx: Db, personId: number, id: number, name: string): Promise<boolean> {
  const rows = await tx.update(passkeys).set({ name }).where(mineOf(personId, id)).returning({ id: passkeys.id })
  return rows.length > 0
}

/** Returns its name. */
export async function deletePasskey(tx: Db, personId: number, id: number): Promise<string | undefined> {
  const [row] = await tx.delete(passkeys).where(mineOf(personId, id)).returning({ name: passkeys.name })
  return row?.name
}

export async function deletePasskeys(tx: Db, personId: number): Promise<number> {
  return (await tx.delete(passkeys).where(eq(passkeys.personId, personId)).returning({ id: passkeys.id })).length
}

/** False when another sign-in has moved the counter, or the passkey was removed. */
export async function noteUse(tx: Db, { id, counter }: PasskeyRow, newCounter: number): Promise<boolean> {
  const rows = await tx
    .update(passkeys)
    .set({ counter: newCounter, lastUsedAt: sql`now()` })
    .where(and(eq(passkeys.id, id), eq(passkeys.counter, counter)))
    .returning({ id: passkeys.id })
  return rows.length > 0
}

/** `personId`: who may answer by adding a passkey; null: anyone, by signing in. Old ones are swept. */
export async function insertChallenge(db: Db, challengeHash: Buffer, personId: number | null): Promise<void> {
  await db.delete(passkeyChallenges).where(sql`${passkeyChallenges.createdAt} < now() - interval '10 minutes'`)
  await db.insert(passkeyChallenges).values({ challengeHash, personId })
}

/** Whether it was open, and for this person. Gone afterwards in any case. */
export async function takeChallenge(db: Db, challengeHash: Buffer, personId: number | null): Promise<boolean> {
  const [row] = await rowsOf(db, { personId: orNull(int), isFresh: bool })`
    delete from ${passkeyChallenges} where challenge_hash = ${challengeHash}
    returning person_id, created_at > now() - make_interval(mins => ${challengeMinutes}) as is_fresh`
  return row?.isFresh === true && row.personId === personId
}
