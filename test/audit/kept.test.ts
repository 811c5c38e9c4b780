/** S25: the audit trail can only grow, for every role. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import t from 'tap'
import { connect, type Database } from '../../src/db/client.ts'
import { outboxTransport } from '../../src/mail/outbox.ts'
import { tick } from '../../src/worker.ts'
import { secretKey, startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'

const attempts = [
  "update events set kind = 'nothing'",
  'update events set actor_id = null where false',
  'delete from events',
  'delete from events where id = 0',
  'truncate events'
]

const refusalOf = (db: Database, statement: string) =>
  db.$client.unsafe(statement).then(
    () => 'done',
    error => String(error.message)
  )
const trail = (db: Database) =>
  one(db, sql`select count(*)::int as n, md5(string_agg(e::text, ',' order by id)) as hash from events e`)

t.test('S25: the database refuses every change of events, even to the owner of the tables', async t => {
  const { db, browser, close } = await startApp()
  t.teardown(close)
  await (await browser('ben')).post('/invite', { email: ['kim@larkfield.example', '', '', '', ''] })
  const before = await trail(db)
  for (const statement of attempts)
    t.equal(await refusalOf(db, statement), 'events are never changed or deleted', statement)
  await db.$client.begin(async tx => {
    await tx.unsafe('set local session_replication_role = replica')
    await t.rejects(
      tx.savepoint(inner => inner.unsafe('delete from events')),
      /never changed/
    )
  })
  t.same(await trail(db), before)
})

t.test('S25: Rollcall runs with a role that owns nothing, adds to events and can do no more with them', async t => {
  const role = `app_${randomBytes(4).toString('hex')}`
  const served = await startApp({ through: url => asRole(url, role) })
  const { db, browser, config, dataDir, app } = served
  const url = new URL(process.env.TEST_DATABASE_URL!)
  const [{ name }] = (await db.$client`select current_database() as name`) as [{ name: string }]
  url.pathname = `/${name}`
  const own = connect(withRole(url.href, role), { connections: 4 })
  t.teardown(async () => {
    await own.$client.end({ timeout: 1 })
    await db.$client.unsafe(`drop owned by ${role}; drop role ${role}`)
    await served.close()
  })
  t.match(await one(own, sql`select current_user as who`), { who: role })

  const ada = await browser('ada')
  t.equal((await ada.post('/invite', { email: ['kim@larkfield.example', '', '', '', ''] })).statusCode, 303)
  await tick({ config, db: own, secretKey, log: app.log, transport: outboxTransport(path.join(dataDir, 'outbox')) })
  t.match(await one(own, sql`select delivery_state as state from people where email = 'kim@larkfield.example'`), {
    state: 'sent'
  })
  t.match((await ada.get('/activity')).body, 'invited 1 person')

  const before = await trail(db)
  for (const statement of attempts)
    t.match(await refusalOf(own, statement), /permission denied for table events/, statement)
  for (const statement of [
    'alter table events disable trigger events_kept',
    'drop trigger events_kept on events',
    'create or replace function keep_events() returns trigger language plpgsql as $$ begin return null; end $$',
    'drop table events',
    'create table own_table (id int)',
    'set session_replication_role = replica',
    'delete from drizzle.__drizzle_migrations'
  ])
    t.match(await refusalOf(own, statement), /must be owner|permission denied/, statement)
  t.same(await trail(db), before)
})

/** As docs/database.md says. */
async function asRole(url: string, role: string): Promise<string> {
  const admin = connect(url, { connections: 1 })
  await admin.$client.unsafe(`
    create role ${role} login password 'pw';
    revoke create on schema public from public;
    grant usage on schema public, drizzle to ${role};
    grant select on all tables in schema drizzle to ${role};
    grant select, insert, update, delete on all tables in schema public to ${role};
    grant usage on all sequences in schema public to ${role};
    revoke update, delete on events from ${role};
    do $$ begin
      if current_setting('server_version_num')::int >= 170000 then
        execute 'grant maintain on staging, planned to ${role}';
      end if;
    end $$`)
  await admin.$client.end()
  return withRole(url, role)
}

function withRole(url: string, role: string): string {
  const own = new URL(url)
  own.username = role
  own.password = 'pw'
  return own.href
}
