import fs from 'node:fs'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import type { Database } from './client.ts'
import { isMissing } from './faults.ts'

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

const brought = fs.readdirSync(folder).filter(name => fs.existsSync(path.join(folder, name, 'migration.sql')))

/** How many migrations of this version the database lacks, after an older one was restored under us for example. */
export async function countPending(db: Database): Promise<number> {
  try {
    const rows = await db.execute<{ name: string }>(sql`select name from drizzle.__drizzle_migrations`)
    const applied = new Set(rows.map(({ name }) => name))
    return brought.filter(name => !applied.has(name)).length
  } catch (error) {
    if (isMissing(error)) return brought.length
    throw error
  }
}

async function serverVersion(db: Database) {
  const [row] = await db.execute<{ version: string }>(sql`select current_setting('server_version_num') as version`)
  return Number(row?.version)
}
