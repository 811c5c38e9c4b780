import path from 'node:path'
import { sql } from 'drizzle-orm'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import type { Database } from './client.ts'

const folder = path.join(import.meta.dirname, '../../drizzle')

/** Brings the schema up to date. Any number of processes may call it at once: one works, the others wait. */
export async function migrate(db: Database): Promise<void> {
  const version = await serverVersion(db)
  if (version < 140_000) throw new Error(`PostgreSQL 14 or later is needed, found ${Math.floor(version / 10_000)}`)
  // drizzle takes no lock of its own; a session lock needs a connection that nobody else gets
  const lock = await db.$client.reserve()
  try {
    await lock`select pg_advisory_lock(hashtext('rollcall:migrate'))`
    await applyMigrations(db, { migrationsFolder: folder })
  } finally {
    await lock`select pg_advisory_unlock(hashtext('rollcall:migrate'))`
    lock.release()
  }
}

async function serverVersion(db: Database) {
  const [row] = await db.execute<{ version: string }>(sql`select current_setting('server_version_num') as version`)
  return Number(row?.version)
}
