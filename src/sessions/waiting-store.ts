/** Sessions that wait for the second factor: no browser knows their token yet. Whatever ends a session ends them too. */
import { and, eq, gt, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { sessions } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import { absoluteHours, hashSessionToken, newSessionToken, ticketMinutes } from './session.ts'
import { type SessionStart, type SignInMethod, waitsForFactor } from './store.ts'

export async function insertWaiting(tx: Db, personId: number, start: SessionStart): Promise<number> {
  const { userAgent, method, provider } = start
  const endsAt = sql`now() + make_interval(mins => ${ticketMinutes})`
  const tokenHash = hashSessionToken(newSessionToken())
  const values = { userAgent, method, ...provider, personId, tokenHash, endsAt, needsFactor: true }
  return first(await tx.insert(sessions).values(values).returning({ id: sessions.id })).id
}

const isMine = (id: number, personId: number) =>
  and(eq(sessions.id, id), eq(sessions.personId, personId), waitsForFactor, gt(sessions.endsAt, sql`now()`))

export async function isWaiting(db: Db, id: number, personId: number): Promise<boolean> {
  return (await db.select({ id: sessions.id }).from(sessions).where(isMine(id, personId))).length > 0
}

/** Gives the session to the browser, once. Undefined when it was given or ended. */
export async function completeWaiting(
  tx: Db,
  id: number,
  personId: number
): Promise<{ token: string; method: SignInMethod | null } | undefined> {
  const token = newSessionToken()
  const whole = {
    tokenHash: hashSessionToken(token),
    needsFactor: false,
    createdAt: sql`now()`,
    lastSeenAt: sql`now()`,
    endsAt: sql`now() + make_interval(hours => ${absoluteHours})`
  }
  const [row] = await tx.update(sessions).set(whole).where(isMine(id, personId)).returning({ method: sessions.method })
  return row && { token, method: row.method }
}

/** A new token for a session that has its factor now, and an end to those that still lack it. Undefined: it ended. */
export async function makeWhole(tx: Db, id: number, personId: number): Promise<string | undefined> {
  const token = newSessionToken()
  const mine = and(eq(sessions.id, id), eq(sessions.personId, personId))
  const rows = await tx
    .update(sessions)
    .set({ tokenHash: hashSessionToken(token), needsFactor: false })
    .where(mine)
    .returning({ id: sessions.id })
  if (rows.length === 0) return undefined
  await tx.delete(sessions).where(and(eq(sessions.personId, personId), sessions.needsFactor))
  return token
}

/** The session can do nothing but set a factor up again. */
export async function limitSession(tx: Db, id: number): Promise<void> {
  await tx.update(sessions).set({ needsFactor: true }).where(eq(sessions.id, id))
}
