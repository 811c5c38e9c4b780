/**
 * The minimum time for writing the same rows: the same tables with the same columns, indexes and constraints,
 * written by one COPY and INSERT … SELECT in one transaction on the same server.
 */

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { addressOf } from './lists.ts'

/** Seconds to write `lines` recipients with their people, invitations and deliveries. */
export async function floorSeconds(serverUrl: string, lines: number): Promise<number> {
  const admin = connect(serverUrl, { connections: 1 })
  await admin.$client.unsafe('drop database if exists rollcall_floor with (force)')
  await admin.$client.unsafe('create database rollcall_floor')
  const db = connect(serverUrl, { database: 'rollcall_floor', connections: 2, statementSeconds: 0 })
  await migrate(db)
  await db.$client.unsafe(`insert into people (email, address_key, role) values ('ada@larkfield.example', 'ada@larkfield.example', 'owner');
    insert into batches (source, state, action, created_by) values ('file', 'checking', 'send', 1)`)
  const begin = performance.now()
  await db.$client.begin(async tx => {
    await tx.unsafe('create temporary table lines (line int, address text) on commit drop')
    await pipeline(Readable.from(rows(lines)), await tx.unsafe('copy lines from stdin').writable())
    await tx.unsafe(`set local enable_seqscan = on;
      insert into recipients (batch_id, line, text, address, address_key, verdict)
        select 1, line, address, address, address, 'invite' from lines;
      insert into people (id, email, address_key, invitation_id, invited_at, invitation_expires_at, delivery_id, delivery_state)
        select line + 1, address, address, line, now(), now() + interval '14 days', line, 'queued' from lines;
      insert into invitations (id, person_id, batch_id, invited_by, expires_at)
        select line, line + 1, 1, 1, now() + interval '14 days' from lines;
      insert into deliveries (id, person_id, invitation_id, batch_id, address, priority)
        select line, line + 1, line, 1, address, 1 from lines;
      update batches set lines = ${lines}, judged = ${lines}, invite = ${lines}, mails_queued = ${lines}`)
  })
  const seconds = (performance.now() - begin) / 1000
  await db.$client.end()
  await admin.$client.unsafe('drop database rollcall_floor with (force)')
  await admin.$client.end()
  return seconds
}

function* rows(lines: number): Generator<string> {
  for (let from = 1; from <= lines; from += 1000) {
    let text = ''
    for (let n = from; n < from + 1000 && n <= lines; n++) text += `${n}\t${addressOf(n)}\n`
    yield text
  }
}
