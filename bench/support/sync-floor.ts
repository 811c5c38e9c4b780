/**
 * The minimum time for writing the rows of a first sync: the same tables with the same columns, indexes, constraints
 * and triggers, written by one COPY and INSERT … SELECT in one transaction on the same server.
 */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'

/** Seconds to write this many people, their memberships and the list of who was added. */
export async function syncFloorSeconds(serverUrl: string, people: number): Promise<number> {
  const admin = connect(serverUrl, { connections: 1 })
  await admin.$client.unsafe('drop database if exists rollcall_floor with (force)')
  await admin.$client.unsafe('create database rollcall_floor')
  const db = connect(serverUrl, { database: 'rollcall_floor', connections: 2 })
  await migrate(db)
  await db.$client.unsafe(`insert into teams (name, source) values ('everybody', 'directory')`)
  const begin = performance.now()
  await db.$client.begin(async tx => {
    await tx.unsafe(`create temporary table read (n int, id text, dn text, mail text, name text, department text, title text, manager text)
      on commit drop`)
    await pipeline(Readable.from(rows(people)), await tx.unsafe('copy read from stdin').writable())
    await tx.unsafe(`
      insert into people (id, email, address_key, name, directory_id, directory_dn, department, title, manager)
        select n, mail, mail, name, id, dn, department, title, manager from read;
      insert into memberships (team_id, person_id, source) select 1, n, 'directory' from read;
      insert into sync_changes (run_id, kind, person_id) select 1, 'added', n from read`)
  })
  const seconds = (performance.now() - begin) / 1000
  await db.$client.end()
  await admin.$client.unsafe('drop database rollcall_floor with (force)')
  await admin.$client.end()
  return seconds
}

function* rows(people: number): Generator<string> {
  for (let from = 1; from <= people; from += 1000) {
    let text = ''
    for (let n = from; n < from + 1000 && n <= people; n++) {
      const uid = `person${n}`
      const dn = `uid=${uid},ou=People,dc=larkfield,dc=example`
      text += `${n}\t${randomUUID()}\t${dn}\t${uid}@larkfield.example\tPerson ${n}\tSales\tTitle\t${dn}\n`
    }
    yield text
  }
}
