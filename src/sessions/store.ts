import { and, desc, eq, gt, isNull, ne, not, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { memberships, people, sessions, settings, signInFailures, type signInMethods, teams } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import { mayAct } from '../people/conditions.ts'
import type { ProviderSession } from './provider-session-store.ts'
import { absoluteHours, idleMinutes, ticketMinutes } from './session.ts'

const isLive = and(
  gt(sessions.endsAt, sql`now()`),
  gt(sessions.lastSeenAt, sql`now() - make_interval(mins => ${idleMinutes})`),
  mayAct(people)
)

/** Only a session without its second factor ends so soon. */
export const waitsForFactor = sql`(${sessions.needsFactor}
  and ${sessions.endsAt} - ${sessions.createdAt} <= make_interval(mins => ${ticketMinutes}))`

export type SignInMethod = (typeof signInMethods)[number]

/** How a session began, and with a provider whose sign-in it is there. */
export interface SessionStart {
  userAgent: string | null
  method: SignInMethod
  provider?: ProviderSession | undefined
  /** A required second factor is missing: until there is one, nothing else is possible. */
  needsFactor?: boolean
}

export async function insertSession(
  db: Db,
  personId: number,
  tokenHash: Buffer,
  { userAgent, method, provider, needsFactor = false }: SessionStart
): Promise<void> {
  const endsAt = sql`now() + make_interval(hours => ${absoluteHours})`
  await db.insert(sessions).values({ personId, tokenHash, userAgent, endsAt, method, needsFactor, ...provider })
}

export async function findViewer(db: Db, tokenHash: Buffer) {
  const { id, name, email, role, theme, shortcuts } = people
  const [row] = await db
    .select({
      id,
      name,
      email,
      role,
      theme,
      shortcuts,
      timeZone: sql<string>`coalesce(${people.timeZone}, ${settings.timeZone})`,
      sessionId: sessions.id,
      needsFactor: sessions.needsFactor,
      flash: sessions.flash,
      organization: settings.organization,
      isStale: sql<boolean>`${sessions.lastSeenAt} < now() - interval '1 minute'`
    })
    .from(sessions)
    .innerJoin(people, eq(people.id, sessions.personId))
    .innerJoin(settings, eq(settings.id, 1))
    .where(and(eq(sessions.tokenHash, tokenHash), isLive))
  return row
}

export async function ownerOfSession(db: Db, tokenHash: Buffer): Promise<number | undefined> {
  const [row] = await db.select({ personId: sessions.personId }).from(sessions).where(eq(sessions.tokenHash, tokenHash))
  return row?.personId
}

export async function touchSession(db: Db, id: number): Promise<void> {
  await db.update(sessions).set({ lastSeenAt: sql`now()` }).where(eq(sessions.id, id))
}

export async function setFlash(db: Db, id: number, flash: string | null): Promise<void> {
  await db.update(sessions).set({ flash }).where(eq(sessions.id, id))
}

export async function listSessions(db: Db, personId: number) {
  const { id, createdAt, lastSeenAt, userAgent, method } = sessions
  return db
    .select({ id, createdAt, lastSeenAt, userAgent, method })
    .from(sessions)
    .innerJoin(people, eq(people.id, sessions.personId))
    .where(and(eq(sessions.personId, personId), isLive, not(waitsForFactor)))
    .orderBy(desc(sessions.lastSeenAt))
    .limit(50)
}

export async function teamsOf(db: Db, personId: number): Promise<{ name: string }[]> {
  const isIn = sql`exists (
    select from ${memberships} where ${memberships.teamId} = ${teams.id} and ${memberships.personId} = ${personId}
  )`
  return db
    .select({ name: teams.name })
    .from(teams)
    .where(and(isNull(teams.removedAt), isIn))
    .orderBy(sql`lower(${teams.name})`)
    .limit(200)
}

export async function deleteSession(db: Db, personId: number, id: number): Promise<boolean> {
  const mine = and(eq(sessions.id, id), eq(sessions.personId, personId))
  return (await db.delete(sessions).where(mine).returning({ id: sessions.id })).length > 0
}

/** Whether this session of a person still exists. Locks it until the transaction ends. */
export async function holdSession(tx: Db, personId: number, id: number): Promise<boolean> {
  const mine = and(eq(sessions.id, id), eq(sessions.personId, personId))
  return (await tx.select({ id: sessions.id }).from(sessions).where(mine).for('update')).length > 0
}

export async function deleteSessionByToken(db: Db, tokenHash: Buffer): Promise<void> {
  await db.delete(sessions).where(eq(sessions.tokenHash, tokenHash))
}

export async function deleteSessionsOf(db: Db, personIds: number | number[], keep = 0): Promise<number> {
  const ids = sql.param([personIds].flat())
  const mine = and(sql`${sessions.personId} = any(${ids}::bigint[])`, ne(sessions.id, keep))
  return (await db.delete(sessions).where(mine).returning({ id: sessions.id })).length
}

/** Deletes sessions that ended long ago, and failures that no longer delay sign-ins. */
export async function deleteEndedSessions(db: Db): Promise<void> {
  await db.delete(sessions).where(sql`${sessions.endsAt} < now() - interval '1 day'`)
  await db.delete(signInFailures).where(sql`${signInFailures.lastAt} < now() - interval '1 day'`)
}

/** Attempts in this minute and its seconds left. Counts before the attempt, so parallel ones cannot slip through. */
export async function countTry(db: Db, key: string) {
  const { failures, windowStartedAt } = signInFailures
  const isOver = sql`${windowStartedAt} < now() - interval '1 minute'`
  const row = first(
    await db
      .insert(signInFailures)
      .values({ key, failures: 1 })
      .onConflictDoUpdate({
        target: signInFailures.key,
        set: {
          failures: sql`case when ${isOver} then 1 else ${failures} + 1 end`,
          windowStartedAt: sql`case when ${isOver} then now() else ${windowStartedAt} end`,
          lastAt: sql`now()`
        }
      })
      .returning({
        tries: failures,
        secondsLeft: sql<number>`ceil(extract(epoch from ${windowStartedAt} + interval '1 minute' - now()))`
      })
  )
  return row
}

/** Locks the count: how many in a row, seconds since the last. One statement, as a sign-in may delete the row. */
export async function lockTries(tx: Db, key: string): Promise<{ failures: number; secondsSince: number }> {
  const { failures, lastAt } = signInFailures
  const row = first(
    await tx
      .insert(signInFailures)
      .values({ key, failures: 0 })
      .onConflictDoUpdate({ target: signInFailures.key, set: { failures: sql`${failures}` } })
      .returning({ failures, secondsSince: sql<number>`extract(epoch from clock_timestamp() - ${lastAt})::float` })
  )
  return row
}

export async function clearTries(tx: Db, key: string): Promise<void> {
  await tx.update(signInFailures).set({ failures: 0 }).where(eq(signInFailures.key, key))
}

/** Seconds to wait, or 0 and counted. Attempts during a pause don't count, so they do not prolong it. */
export async function countInRow(tx: Db, key: string, delayAfter: (failures: number) => number): Promise<number> {
  const { failures, secondsSince } = await lockTries(tx, key)
  const wait = Math.ceil(delayAfter(failures) - secondsSince)
  if (wait > 0) return wait
  await addTry(tx, key)
  return 0
}

export async function addTry(tx: Db, key: string): Promise<void> {
  const failures = sql`${signInFailures.failures} + 1`
  await tx.update(signInFailures).set({ failures, lastAt: sql`clock_timestamp()` }).where(eq(signInFailures.key, key))
}

export async function takeBackTry(db: Db, key: string): Promise<void> {
  await db
    .update(signInFailures)
    .set({ failures: sql`greatest(${signInFailures.failures} - 1, 0)` })
    .where(eq(signInFailures.key, key))
}

export async function forgetTries(db: Db, keys: string[]): Promise<void> {
  for (const key of keys) await db.delete(signInFailures).where(eq(signInFailures.key, key))
}
