/** Databases run by others, from test/cases/postgres.sql: each problem is reported with the statement that fixes it. */
import t, { type Test } from 'tap'
import { connect } from '../../src/db/client.ts'
import { countPending } from '../../src/db/migrate.ts'
import { type OtherDatabase, otherDatabase, prepare, problemsOf } from '../support/other-database.ts'

/** Starts on that database, then searches by trigrams and writes. */
async function works(t: Test, { url }: OtherDatabase) {
  const { session } = await prepare(url)
  const db = connect(url, { connections: 1, session })
  t.equal(await countPending(db), 0)
  const added = await db.$client`
    insert into people (email, address_key) values ('kim@larkfield.example', 'kim@larkfield.example') returning id`
  t.equal(added.length, 1)
  const found = await db.$client`select id from people where lower(email) like '%lark%'`
  t.equal(found.length, 1)
  await db.$client.end({ timeout: 1 })
  return session
}

const version = async () => {
  const db = connect(process.env.TEST_DATABASE_URL!, { connections: 1 })
  const [row] = await db.$client`select current_setting('server_version_num')::int as n`
  await db.$client.end()
  return row!.n as number
}
const inLatin1 = async () =>
  `encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' ${(await version()) >= 150_000 ? 'locale_provider libc' : ''}`

t.test('E25: pg_trgm may be in any schema', async t => {
  const other = await otherDatabase(t)
  await other.run('create schema "Ext 1"; create extension pg_trgm schema "Ext 1"; grant usage on schema "Ext 1" to u')
  await other.runOutside("alter role u in database d set search_path = 'nowhere'")
  t.equal((await works(t, other)).settings.search_path, 'public, "Ext 1"')
})

t.test('E25: a role without the right to create anything can start if everything needed exists', async t => {
  const other = await otherDatabase(t, { owner: false })
  await other.run(
    'create extension pg_trgm; grant create, usage on schema public to u; create schema drizzle authorization u'
  )
  await works(t, other)
})

t.test('tables are found in any schema, even one that the options name', async t => {
  const other = await otherDatabase(t)
  await other.run('create schema app authorization u; create schema hr; create table hr.people (id int)')
  await other.runOutside("alter role u in database d set search_path = 'hr'")
  const named = { ...other, url: `${other.url}&options=-csearch_path%3Dapp` }
  t.equal((await works(t, named)).settings.search_path, 'app')
  const { session } = await prepare(other.url)
  t.equal(session.settings.search_path, 'app', 'the next start needs no option')
})

t.test('migrations run as an owner; the role that runs Rollcall needs no right to create anything', async t => {
  const other = await otherDatabase(t, { owner: false })
  const admin = new URL(process.env.TEST_DATABASE_URL!)
  admin.pathname = `/${other.name}`
  await prepare(admin.href)
  await other.run('revoke create on schema public from public; revoke usage on schema public from public')
  const problems = await problemsOf(other)
  t.match(problems, [
    /^the role u may not use the schema public; run as an administrator: grant usage on schema public to u$/,
    /^the role u may not read and write \d+ tables; run .*: grant select, insert, update, delete on all tables in schema public to u$/,
    /^the role u may not take new ids; run .*: grant usage on all sequences in schema public to u$/,
    /^the role u may not see which migrations were applied; run .*: grant usage on schema drizzle to u; grant select on all/
  ])
  for (const problem of problems) await other.run(problem.split('administrator: ')[1]!)
  t.same(await problemsOf(other), [])
  await other.run('revoke update, delete on events from u')
  await works(t, other)
})

t.test('all missing privileges of a role are reported at once, with statements that fix them', async t => {
  const other = await otherDatabase(t, { owner: false })
  await other.run('revoke create on schema public from public')
  const problems = await problemsOf(other)
  t.match(problems, [
    /^the role u may not create tables \(\d+ migrations are pending\); .*: grant create, usage on schema public to u$/,
    /^the role u may not create the schema drizzle; .*: create schema drizzle authorization u$/,
    /^the role u may not create the extension pg_trgm; .*: create extension pg_trgm schema public$/
  ])
  for (const problem of problems) await other.run(problem.split('administrator: ')[1]!)
  await works(t, other)
})

t.test('E25: another encoding is refused, with the statement that makes a database in UTF8', async t => {
  const other = await otherDatabase(t, { words: await inLatin1() })
  t.match(await problemsOf(other), [/^the database d is in LATIN1, .*: create database d_utf8 owner u encoding 'UTF8'/])
})

t.test('it reports triggers that are off for the role, because counts would be wrong', async t => {
  const other = await otherDatabase(t)
  await other.runOutside('alter role u in database d set session_replication_role = replica')
  const [problem] = await problemsOf(other)
  t.match(problem, /^triggers are off for the role u, .*: alter role u in database d reset session_replication_role/)
  await other.runOutside(problem!.split('run: ')[1]!)
  t.same(await problemsOf(other), [])
})

t.test(
  'E25: a connection limit is checked at startup: below the minimum it is refused, above it Rollcall adapts',
  async t => {
    const other = await otherDatabase(t)
    await other.runOutside('alter role u connection limit 8')
    t.match(await prepare(other.url), {
      connections: 8,
      warnings: [/the role .* has 8 connections left of 21.*DATABASE_POOL=8/]
    })
    await other.runOutside('alter database d connection limit 6')
    const held = connect(other.url, { connections: 2 })
    await Promise.all([held.$client`select 1`, held.$client`select 1`, held.$client.reserve()])
    t.match(await problemsOf(other), [
      /^the database d has 4 connections left, Rollcall needs at least 5; run: alter database d connection limit 21$/
    ])
    await held.$client.end({ timeout: 0 })
  }
)

t.test('a database that does not fold letters beyond ASCII works, with a note about searching', async t => {
  const words =
    (await version()) >= 150_000 ? "locale_provider libc lc_collate 'C' lc_ctype 'C'" : "lc_collate 'C' lc_ctype 'C'"
  const other = await otherDatabase(t, { words: `encoding 'UTF8' ${words}` })
  t.match((await prepare(other.url)).warnings, [/^Searches in the database .* tell É from é/])
})

t.test('E25: a pool works with the connections that are granted, even if some were refused halfway', async t => {
  const other = await otherDatabase(t)
  await other.runOutside('alter role u connection limit 3')
  const said: number[] = []
  const db = connect(other.url, { connections: 12, onRefused: (_reason, granted) => said.push(granted) })
  t.teardown(() => db.$client.end({ timeout: 0 }))
  const many = () => Promise.all(Array.from({ length: 60 }, () => db.$client`select pg_sleep(0.002)`))
  t.equal((await many()).length, 60, 'none fails')
  t.ok(said.length > 0 && said.length <= 12, `told ${said.length} times`)
  const asked = said.length
  t.equal((await many()).length, 60)
  t.equal(said.length, asked, 'and it does not ask again at once')
  const held = await Promise.all([db.$client.reserve(), db.$client.reserve()])
  t.equal((await db.$client.begin(async tx => tx`select 1`)).length, 1)
  for (const each of held) each.release()

  const late = connect(other.url, { connections: 2 })
  t.teardown(() => late.$client.end({ timeout: 0 }))
  await t.rejects(late.$client`select 1`, { code: '53300' }, 'with none at all it is said')
  await db.$client.end({ timeout: 1 })
  t.equal((await late.$client`select 1`).length, 1, 'and the next one finds room')
})
