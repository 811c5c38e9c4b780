/** What a run reads, set by set, in the database: a large group needs no more memory than a small one. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'

export interface StagedPerson {
  directoryId: string
  dn: string
  mail: string | null
  /** Null: not a usable email address. */
  address: string | null
  addressKey: string | null
  name: string | null
  department: string | null
  title: string | null
  manager: string | null
  isDisabled: boolean
  isExcluded: boolean
  via: string | null
}

/** One text (UTF-8) per column, one line per person. */
export interface StagedSet {
  people: number
  columns: Buffer[]
}

/** No value can hold a line end, so that separates; empty means null. An array would be several times slower. */
export function stagedSet(people: readonly StagedPerson[]): StagedSet {
  const column = (pick: (person: StagedPerson) => string | null) =>
    Buffer.from(people.map(person => pick(person) ?? '').join('\n'))
  return {
    people: people.length,
    columns: [
      ...[column(person => person.directoryId), column(person => person.dn)],
      column(person => (person.mail === person.address ? null : person.mail)),
      ...[column(person => person.address)],
      column(person => (person.addressKey === person.address ? null : person.addressKey)),
      ...[column(person => person.name), column(person => person.department), column(person => person.title)],
      ...[column(person => person.manager), column(person => person.via)],
      column(person => `-${person.isDisabled ? 'd' : ''}${person.isExcluded ? 'x' : ''}`)
    ]
  }
}

export async function stage(db: Db, runId: number, before: number, { columns }: StagedSet): Promise<void> {
  const tables = columns.map(text => sql`string_to_table(${text.toString()}::text, E'\n', '')`)
  await db.execute(sql`
    insert into staging (run_id, n, directory_id, dn, mail, address, address_key, name, department, title, manager, via,
      is_disabled, is_excluded)
    select ${runId}, ${before}::int + s.n, directory_id, coalesce(dn, ''), coalesce(mail, address), address,
      coalesce(address_key, address), name, department, title, manager, via, marks like '%d%', marks like '%x%'
    from rows from (${sql.join(tables, sql`, `)}) with ordinality
      as s(directory_id, dn, mail, address, address_key, name, department, title, manager, via, marks, n)`)
}

export async function clearStage(db: Db, runId: number): Promise<void> {
  await db.execute(sql`delete from staging where run_id = ${runId}`)
  await db.execute(sql`delete from planned where run_id = ${runId}`)
}

/** Deletes what killed workers left behind. */
export async function sweepStage(db: Db): Promise<void> {
  const isOver = sql`not exists (select from sync_runs r where r.id = run_id and r.state = 'running')`
  await db.execute(sql`delete from staging where ${isOver}`)
  await db.execute(sql`delete from planned where ${isOver}`)
}
