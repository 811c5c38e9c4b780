import { and, desc, eq, gt, ne, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { people, sessions, settings, signInFailures } from '../db/schema.ts'
import { absoluteHours, idleMinutes } from './session.ts'

const isLive = and(
  gt(sessions.endsAt, sql`now()`),
  gt(sessions.lastSeenAt, sql`now() - make_interval(mins => ${idleMinutes})`),
  sql`${people.deactivatedAt} is null`
)

export async function insertSession(db: Db, personId: number, tokenHash: Buffer, userAgent: string | null) {
  const endsAt = sql`now() + make_interval(hours => ${absoluteHours})`
  await db.insert(sessions).values({ personId, tokenHash, userAgent, endsAt })
}

/** The viewer behind a session's token, with the flash text that waits for the next page. */
export async function findViewer(db: Db, tokenHash: Buffer) {
  const { id, name, email, role, theme, shortcuts } = people
  const [row] = await db
    .select({
      ...{ id, name, email, role, theme, shortcuts },
      timeZone: sql<string>`coalesce(${people.timeZone}, ${settings.timeZone})`,
      sessionId: sessions.id,
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

export async function touchSession(db: Db, id: number): Promise<void> {
  await db.update(sessions).set({ lastSeenAt: sql`now()` }).where(eq(sessions.id, id))
}

export async function setFlash(db: Db, id: number, flash: string | null): Promise<void> {
  await db.update(sessions).set({ flash }).where(eq(sessions.id, id))
}

export async function listSessions(db: Db, personId: number) {
  const { id, createdAt, lastSeenAt, userAgent } = sessions
  return db
    .select({ id, createdAt, lastSeenAt, userAgent })
    .from(sessions)
    .innerJoin(people, eq(people.id, sessions.personId))
    .where(and(eq(sessions.personId, personId), isLive))
    .orderBy(desc(sessions.lastSeenAt))
    .limit(50)
}

export async function deleteSession(db: Db, personId: number, id: number): Promise<void> {
  await db.delete(sessions).where(and(eq(sessions.id, id), eq(sessions.personId, personId)))
}

export async function deleteSessionByToken(db: Db, tokenHash: Buffer): Promise<void> {
  await db.delete(sessions).where(eq(sessions.tokenHash, tokenHash))
}

/** Ends every session of a person but `keep`; returns how many. */
export async function deleteSessionsOf(db: Db, personId: number, keep = 0): Promise<number> {
  const mine = and(eq(sessions.personId, personId), ne(sessions.id, keep))
  return (await db.delete(sessions).where(mine).returning({ id: sessions.id })).length
}

/** Sessions that ended long ago, and failures that no longer delay anybody. */
export async function deleteEndedSessions(db: Db): Promise<void> {
  await db.delete(sessions).where(sql`${sessions.endsAt} < now() - interval '1 day'`)
  await db.delete(signInFailures).where(sql`${signInFailures.lastAt} < now() - interval '1 day'`)
}

/**
 * Counts a try before it is made, so that parallel ones cannot slip through: how many in this window and in a row,
 * how long ago the one before was, and how much of the window is left, in seconds.
 */
export async function countTry(db: Db, key: string, windowSeconds: number) {
  const isNew = sql`${signInFailures.windowStartedAt} < now() - make_interval(secs => ${windowSeconds})`
  const previous = db
    .$with('previous')
    .as(db.select({ lastAt: signInFailures.lastAt }).from(signInFailures).where(eq(signInFailures.key, key)))
  const [row] = await db
    .with(previous)
    .insert(signInFailures)
    .values({ key, failures: 1 })
    .onConflictDoUpdate({
      target: signInFailures.key,
      set: {
        failures:
          windowSeconds === 0
            ? sql`${signInFailures.failures} + 1`
            : sql`case when ${isNew} then 1 else ${signInFailures.failures} + 1 end`,
        windowStartedAt:
          windowSeconds === 0
            ? sql`${signInFailures.windowStartedAt}`
            : sql`case when ${isNew} then now() else ${signInFailures.windowStartedAt} end`,
        lastAt: sql`now()`
      }
    })
    .returning({
      failures: signInFailures.failures,
      secondsLeft: sql<number>`ceil(extract(epoch from ${signInFailures.windowStartedAt} + make_interval(secs => ${windowSeconds}) - now()))::int`,
      secondsSince: sql<number>`coalesce((select extract(epoch from now() - "last_at") from previous), 1e6)::float`
    })
  return row!
}

export async function forgetTries(db: Db, keys: string[]): Promise<void> {
  for (const key of keys) await db.delete(signInFailures).where(eq(signInFailures.key, key))
}
