import { and, eq, getColumns, lt, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { oidcAttempts } from '../db/schema.ts'

export type AttemptRow = typeof oidcAttempts.$inferSelect
export type NewAttempt = Omit<typeof oidcAttempts.$inferInsert, 'createdAt'>

const minutes = 10
const isOld = lt(oidcAttempts.createdAt, sql`now() - make_interval(mins => ${minutes})`)

export async function insertAttempt(db: Db, attempt: NewAttempt): Promise<void> {
  await db.insert(oidcAttempts).values(attempt)
}

/** The attempt that this browser comes back from, once; undefined when it is unknown, used, another browser's or too old. */
export async function takeAttempt(db: Db, stateHash: Buffer, browserHash: Buffer): Promise<AttemptRow | undefined> {
  const isTheirs = and(eq(oidcAttempts.stateHash, stateHash), eq(oidcAttempts.browserHash, browserHash))
  const [row] = await db
    .delete(oidcAttempts)
    .where(isTheirs)
    .returning({ ...getColumns(oidcAttempts), isOld: sql<boolean>`${isOld}` })
  return row && !row.isOld ? row : undefined
}

export async function forgetAttempts(db: Db): Promise<void> {
  await db.delete(oidcAttempts).where(isOld)
}
