import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { first } from '../lib/ends.ts'
import type { Database } from './client.ts'
import { isMissing } from './faults.ts'
import { rowsOf, text } from './rows.ts'

const folder = path.join(import.meta.dirname, '../../drizzle')
const formerFolder = path.join(import.meta.dirname, '../../drizzle-former')
const current = fs.readdirSync(folder).filter(name => fs.existsSync(path.join(folder, name, 'migration.sql')))
/** Migrations from before the first release: a database that began with them gets the rest, then the current ones. */
const former = fs.readdirSync(formerFolder).map(file => file.replace(/\.sql$/, ''))
const start = first(current.sort())
former.sort()

/** Brings the schema up to date; concurrent calls wait for the first. Needs no rights when nothing is pending. */
export async function migrate(db: Database): Promise<void> {
  if ((await countPending(db)) === 0) return
  const lock = await db.$client.reserve()
  try {
    await lock`select pg_advisory_lock(hashtext('rollcall:migrate'))`
    await applyPending(db)
  } finally {
    await lock`select pg_advisory_unlock(hashtext('rollcall:migrate'))`
    lock.release()
  }
}

/** drizzle's own migrate() demands rights on database and schema before it checks whether anything is missing. */
async function applyPending(db: Database) {
  const applied = await appliedNames(db)
  const pending = pendingOf(applied)
  await db.$client.begin(async tx => {
    const row = first(await tx`select to_regnamespace('drizzle') is not null as "hasSchema"`)
    if (!row.hasSchema) await tx`create schema drizzle`
    if (!applied)
      await tx`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint,
        name text, applied_at timestamp with time zone default now())`
    for (const name of pending) {
      const text = isDone(name, applied) ? '' : textOf(name)
      for (const statement of text.split('--> statement-breakpoint').filter(part => part.trim()))
        await tx.unsafe(statement)
      const hash = createHash('sha256').update(text).digest('hex')
      await tx`insert into drizzle.__drizzle_migrations (hash, created_at, name) values (${hash}, ${Date.now()}, ${name})`
    }
  })
}

function pendingOf(applied: Set<string> | undefined): string[] {
  return [...(beganFormerly(applied) ? former : []), ...current].filter(name => !applied?.has(name))
}

const beganFormerly = (applied: Set<string> | undefined) => applied?.has(first(former)) ?? false

const isDone = (name: string, applied: Set<string> | undefined) => name === start && beganFormerly(applied)

const textOf = (name: string) =>
  fs.readFileSync(
    former.includes(name) ? path.join(formerFolder, `${name}.sql`) : path.join(folder, name, 'migration.sql'),
    'utf8'
  )

/** How many migrations the database lacks, for example after an older backup was restored under us. */
export async function countPending(db: Database): Promise<number> {
  return pendingOf(await appliedNames(db)).length
}

async function appliedNames(db: Database): Promise<Set<string> | undefined> {
  try {
    const rows = await rowsOf(db, { name: text })`select name from drizzle.__drizzle_migrations`
    return new Set(rows.map(({ name }) => name))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
