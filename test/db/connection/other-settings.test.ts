/** A database whose sessions have other settings must not change anything that Rollcall shows, counts or sends. */
import path from 'node:path'
import t from 'tap'
import { connect, type Database } from '../../../src/db/client.ts'
import { sessionSettings } from '../../../src/db/connection/session-settings.ts'
import { outboxTransport } from '../../../src/mail/outbox.ts'
import { tick } from '../../../src/worker.ts'
import { secretKey, startApp, type TestApp } from '../../support/app.ts'
import { multipart } from '../../support/multipart.ts'

/** Case A of test/cases/postgres.sql is the first one. */
const hostile: Record<string, string> = {
  DateStyle: 'German, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Pacific/Chatham',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  xmlbinary: 'hex',
  array_nulls: 'off',
  transform_null_equals: 'on',
  standard_conforming_strings: 'off',
  backslash_quote: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  row_security: 'off',
  gin_fuzzy_search_limit: '1',
  exit_on_error: 'on',
  client_min_messages: 'debug5',
  client_encoding: 'LATIN1',
  statement_timeout: '1ms',
  lock_timeout: '1ms',
  idle_session_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
  search_path: 'pg_catalog',
  jit: 'on',
  plan_cache_mode: 'force_generic_plan',
  work_mem: '64kB',
  random_page_cost: '1000',
  cpu_tuple_cost: '100',
  effective_cache_size: '8kB',
  join_collapse_limit: '1',
  from_collapse_limit: '1',
  geqo_threshold: '2',
  default_statistics_target: '1',
  ...Object.fromEntries(
    Object.keys(sessionSettings).flatMap(name => (name.startsWith('enable_') ? [[name, 'off']] : []))
  )
}

async function spoil(url: string): Promise<string> {
  const admin = connect(url, { connections: 1 })
  const name = new URL(url).pathname.slice(1)
  for (const [setting, value] of Object.entries(hostile))
    await admin.$client.unsafe(`alter database ${name} set ${setting} = '${value}'`)
  await admin.$client.end()
  return url
}

interface Walk {
  pages: Map<string, string>
  counts: Record<string, unknown>[]
}

/** Differences between two databases that are both correct. */
const unified = (html: string) =>
  html
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'MOMENT')
    .replace(/\b\d+ (seconds?|minutes?) ago|just now|\d\d:\d\d( UTC)?|[\w-]{43}/g, 'VARIES')
    // the users of a test are created at the same time
    .replace(/value="\d+"|\/people\/\d+/g, 'ID')

const text = 'kim@larkfield.example\njosé@larkfield.example\nnobody\nlou@elsewhere.example\nkim@larkfield.example\n'

async function walk(app: TestApp, db: Database): Promise<Walk> {
  const work = () =>
    tick({
      ...{ config: app.config, db, secretKey, log: app.app.log },
      transport: outboxTransport(path.join(app.dataDir, 'outbox'))
    })
  const ada = await app.browser('ada')
  t.equal((await ada.post('/teams', { name: 'Night shift' })).statusCode, 303)
  t.equal((await ada.post('/invite', { email: ['mia@larkfield.example', 'zoë@larkfield.example'] })).statusCode, 303)
  const uploaded = await ada.upload('/bulk', multipart({ action: 'send' }, { name: 'list.txt', content: text }))
  t.equal(uploaded.statusCode, 303)
  await work()
  await work()
  const [joined] = await db.$client`select id from people where address_key = 'kim@larkfield.example'`
  const urls = [
    ...[
      '/',
      '/invite',
      '/bulk',
      '/batches',
      '/batches/1',
      '/batches/2',
      '/batches/2/lines.csv',
      '/people',
      '/people.csv'
    ],
    ...[`/people/${joined!.id}`, '/people?q=lark', '/people?q=é', '/people?status=invited', '/people?delivery=sent'],
    ...['/teams', '/teams/1', '/activity', '/activity.csv', '/activity?from=2026-01-01&to=2030-12-31', '/groups'],
    ...['/groups/leavers', '/settings/organization', '/settings/mail', '/settings/directory', '/settings/sign-in'],
    ...['/me', '/outbox', '/ready', '/metrics']
  ]
  const pages = new Map<string, string>()
  for (const url of urls) {
    const { statusCode, body } = await ada.get(url)
    t.equal(statusCode, 200, url)
    if (url !== '/metrics') pages.set(url, unified(body))
  }
  const counts = await db.$client`select state, count(*) from deliveries group by state order by state`
  return { pages, counts: [...counts] }
}

t.test('E25, E27: every page, count and email is the same under any settings of role and database', async t => {
  const usual = await startApp()
  let url = ''
  const other = await startApp({
    through: async way => {
      url = way
      return spoil(way)
    }
  })
  t.teardown(() => Promise.all([usual.close(), other.close()]))
  const db = connect(url, { connections: 3 })
  t.teardown(() => db.$client.end({ timeout: 1 }))
  const wanted = await walk(usual, usual.db)
  const found = await walk(other, db)
  t.same(found.counts, wanted.counts)
  t.match(found.counts, [{ state: 'sent', count: 4 }])
  for (const [page, html] of wanted.pages) t.equal(found.pages.get(page), html, page)

  const rows =
    await db.$client`select name, setting, source from pg_settings where source in ('database', 'user', 'database user')`
  t.same([...rows], [], 'no setting of theirs is in force')
})
