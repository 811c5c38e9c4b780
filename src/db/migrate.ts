import fs from 'node:fs'
import path from 'node:path'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { Database } from './client.ts'
import { isMissing } from './faults.ts'

const folder = path.join(import.meta.dirname, '../../drizzle')

/**
 * Brings the schema up to date. Any number of processes may call it at once: one works, the others wait. Where nothing is
 * pending it asks for no rights at all.
 */
export async function migrate(db: Database): Promise<void> {
  if ((await countPending(db)) === 0) return
  // a session lock needs a connection of its own
  const lock = await db.$client.reserve()
  try {
    await lock`select pg_advisory_lock(hashtext('rollcall:migrate'))`
    await applyPending(db)
  } finally {
    await lock`select pg_advisory_unlock(hashtext('rollcall:migrate'))`
    lock.release()
  }
}

/** drizzle's own migrate() asks for rights on the database and the schema before it looks whether anything is missing. */
async function applyPending(db: Database) {
  const applied = await appliedNames(db)
  const pending = readMigrationFiles({ migrationsFolder: folder }).filter(({ name }) => !applied?.has(name))
  await db.$client.begin(async tx => {
    const [row] = await tx`select to_regnamespace('drizzle') is not null as "hasSchema"`
    if (!row!.hasSchema) await tx`create schema drizzle`
    if (!applied)
      await tx`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint,
        name text, applied_at timestamp with time zone default now())`
    for (const { sql: statements, hash, folderMillis, name } of pending) {
      for (const statement of statements) await tx.unsafe(statement)
      await tx`insert into drizzle.__drizzle_migrations (hash, created_at, name) values (${hash}, ${folderMillis}, ${name})`
    }
  })
}

const brought = fs.readdirSync(folder).filter(name => fs.existsSync(path.join(folder, name, 'migration.sql')))

/** How many migrations of this version the database lacks, after an older one was restored under us for example. */
export async function countPending(db: Database): Promise<number> {
  const applied = await appliedNames(db)
  return applied ? brought.filter(name => !applied.has(name)).length : brought.length
}

/** undefined: none was ever applied here. */
async function appliedNames(db: Database): Promise<Set<string> | undefined> {
  try {
    const rows = await db.execute<{ name: string }>(sql`select name from drizzle.__drizzle_migrations`)
    return new Set(rows.map(({ name }) => name))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
