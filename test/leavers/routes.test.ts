/** People who left the directory between runs: too many at once wait for an admin's approval. */
import t, { type Test } from 'tap'
import { addUser, type Browser, startApp } from '../support/app.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { inviteOne, one, sql } from '../support/people.ts'
import { everyRow } from '../support/rows.ts'

const path = '/groups/leavers'
const others = (count: number) => Array.from({ length: count }, (_, index) => entry(`stays${index}`))

async function start(t: Test, { isOn = true } = {}) {
  const app = await startApp()
  t.teardown(app.close)
  const syncing = await startSyncing(app)
  const { db } = app
  await db.execute(sql`update directory_settings set deactivate_leavers = ${isOn}`)
  const stageOf = async (name: string) =>
    (await one<{ stage: string }>(db, sql`select stage from people where address_key = ${`${name}@larkfield.example`}`))
      .stage
  /** Removes these users from every group, then from the directory, in this order, so that no run notices the rest. */
  const leave = async (names: string[]) => {
    await syncing.keep('everybody', [...names.map(name => entry(name)), ...others(20)])
    syncing.directory.others = names.map(name => entry(name))
    for (let kept = names.length; kept > 0; kept -= 2)
      await syncing.read('everybody', [
        ...names.slice(0, Math.max(0, kept - 2)).map(name => entry(name)),
        ...others(20)
      ])
    syncing.directory.others = []
    await db.execute(sql`update people set directory_check_at = now() where directory_check_at is not null`)
    await syncing.read('everybody')
  }
  return { ...app, ...syncing, stageOf, leave }
}

const untilOf = (page: string) => /name="until" value="(\d+)"/.exec(page)![1]!
const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `leaver${index}`)
const approve = (by: Browser, page: string) => by.post(`${path}/approval`, { until: untilOf(page) })

t.test('R9, S38: many people found missing outside of a run wait; an admin sees and approves them', async t => {
  const { db, ids, browser, leave, stageOf } = await start(t)
  const names = namesOf(8)
  for (const name of names) await addUser(db, name, 'member')
  const invited = await inviteOne(db, ids.ben, 'offered@larkfield.example')
  await leave([...names, 'offered'])
  t.equal(await stageOf('leaver0'), 'signed-up', 'no one was deactivated')
  const [ben, leaver] = [await browser('ben'), await browser('leaver0' as never)]
  t.match(
    (await ben.get('/activity')).body,
    '9 people missing from the directory, too many to deactivate without approval'
  )
  for (const url of ['/groups', '/'])
    t.match((await ben.get(url)).body, /9 people left[^<]*can still use Rollcall[\s\S]*href="\/groups\/leavers"/)
  const { body } = await ben.get(path)
  for (const name of [...names, 'offered']) t.match(body, `${name}@larkfield.example`)
  t.match(body, 'Deactivate 9 people')
  t.match(body, 'Missing since')

  t.match(await approve(ben, body), { statusCode: 303, headers: { location: path } })
  t.match((await ben.get(path)).body, 'Deactivated: 9 people.')
  for (const name of names) t.equal(await stageOf(name), 'deactivated')
  t.equal((await leaver.get('/me')).statusCode, 303, 'the session has ended')
  t.equal((await (await browser()).get(`/join/${invited.token}`)).statusCode, 410)
  t.equal(await stageOf('offered'), 'revoked')
  t.match(
    await one(
      db,
      sql`select actor_id as actor, details->>'people' as people from events where kind = 'leavers-deactivated'`
    ),
    {
      ...{ actor: ids.ben, people: '9' }
    }
  )
  t.match((await ben.get(path)).body, 'No one to review')
  t.match(await ben.submit(`${path}/approval`, { until: untilOf(body) }), {
    statusCode: 200,
    body: /No one was deactivated/
  })
})

t.test('R9: the limit counts all of them, even if the directory is asked a few hundred at a time', async t => {
  const { db, stageOf, leave } = await start(t)
  await db.execute(sql`
    insert into people (email, address_key, directory_id, signed_up_at, directory_check_at)
    select n || '@larkfield.example', n || '@larkfield.example', 'gone-' || n, now(), now() from generate_series(1, 1100) n`)
  await db.execute(sql`
    insert into people (email, address_key, directory_id, signed_up_at)
    select 'in' || n || '@larkfield.example', 'in' || n || '@larkfield.example', 'in-' || n, now() from generate_series(1, 8000) n`)
  await leave([])
  t.match(await one(db, sql`select count(*) as n from people where deactivated_at is not null`), { n: 0 })
  t.equal(await stageOf('1'), 'signed-up')
  t.match(await one(db, sql`select details->>'people' as people from events where kind = 'leavers-held'`), {
    people: '1100'
  })
})

t.test('approval does not affect people who came back, or who left after the page was opened', async t => {
  const { db, browser, leave, stageOf } = await start(t)
  const names = namesOf(8)
  for (const name of [...names, 'later']) await addUser(db, name, 'member')
  await leave(names)
  const ben = await browser('ben')
  const { body } = await ben.get(path)
  await db.execute(sql`update people set gone_from_directory_at = null where address_key = 'leaver3@larkfield.example'`)
  await db.execute(sql`
    update people set directory_id = 'later', gone_from_directory_at = now() + interval '1 second' where address_key = 'later@larkfield.example'`)
  await approve(ben, body)
  t.match((await ben.get(path)).body, 'Deactivated: 7 people.')
  for (const name of ['leaver3', 'later']) t.equal(await stageOf(name), 'signed-up', name)
})

t.test('S22: an admin decides about members and auditors, an owner about everyone except the last owner', async t => {
  const { db, browser, stageOf } = await start(t, { isOn: false })
  await addUser(db, 'boss', 'owner')
  await addUser(db, 'deputy', 'admin')
  await addUser(db, 'reader', 'auditor')
  await db.execute(sql`
    update people set directory_id = address_key, disabled_in_directory_at = now()
    where address_key in ('boss@larkfield.example', 'deputy@larkfield.example', 'reader@larkfield.example')`)
  const [ada, ben, cleo] = await Promise.all([browser('ada'), browser('ben'), browser('cleo')])
  const seen = (await cleo.get(path)).body
  t.match(seen, '3 people left the directory')
  t.notMatch(seen, '<form method="post" action="/groups/leavers')
  t.notMatch((await cleo.get('/')).body, 'left the directory', 'with the setting off no one has to approve anything')

  const page = (await ben.get(path)).body
  t.match(page, 'Deactivate 1 person')
  t.match(page, 'Admins and owners on the list: 2.')
  t.match(page, 'No one is deactivated automatically.')
  await ben.post(`${path}/approval`, { until: '99999999999999999' })
  t.same(await Promise.all(['reader', 'deputy', 'boss'].map(stageOf)), ['deactivated', 'signed-up', 'signed-up'])

  await db.execute(
    sql`update people set directory_id = address_key, disabled_in_directory_at = now() where address_key = 'ada@larkfield.example'`
  )
  await ada.post(`${path}/approval`, { until: '99999999999999999' })
  const owners = await one<{ n: number }>(
    db,
    sql`select count(*) as n from people where role = 'owner' and deactivated_at is null`
  )
  t.equal(owners.n, 1, 'both owners have left the directory; one of them stays')
  t.equal(await stageOf('deputy'), 'deactivated')
})

t.test('excluded people do not wait for approval, and an unknown list changes nothing', async t => {
  const { db, browser } = await start(t)
  await db.execute(sql`update directory_settings set exclusions = '["dan@larkfield.example"]'`)
  await db.execute(
    sql`update people set directory_id = 'dan', gone_from_directory_at = now() where address_key = 'dan@larkfield.example'`
  )
  const ben = await browser('ben')
  t.match((await ben.get(path)).body, 'No one to review')
  t.notMatch((await ben.get('/groups')).body, 'href="/groups/leavers"')
  const before = await everyRow(db)
  for (const until of ['', 'now', '-1', '1e9', '9'.repeat(18)])
    t.equal((await ben.post(`${path}/approval`, { until })).statusCode, 422, until)
  t.same(await everyRow(db), before)
})

t.test('more than a page of people are shown a page at a time', async t => {
  const { db, browser } = await start(t)
  await db.execute(sql`
    insert into people (email, address_key, directory_id, signed_up_at, gone_from_directory_at)
    select n || '@larkfield.example', n || '@larkfield.example', 'gone-' || n, now(), now() from generate_series(1, 51) n`)
  const ben = await browser('ben')
  const { body } = await ben.get(path)
  t.match(body, 'Deactivate 51 people')
  t.notMatch(body, '>51@larkfield.example<')
  t.match((await ben.get(/href="(\/groups\/leavers\?after=\d+)"/.exec(body)![1]!)).body, '>51@larkfield.example<')
  await db.execute(sql`
    insert into people (email, address_key, directory_id, signed_up_at, gone_from_directory_at)
    select n || '@larkfield.example', n || '@larkfield.example', 'gone-' || n, now(), now() from generate_series(52, 2100) n`)
  for (const place of ['/groups', '/']) t.match((await ben.get(place)).body, 'Over 1,000 people', place)
  const excluded = Array.from({ length: 1500 }, (_, n) => `${n + 1}@larkfield.example`)
  await db.execute(sql`update directory_settings set exclusions = ${JSON.stringify(excluded)}::text::jsonb`)
  t.match(
    (await ben.get('/groups')).body,
    '600 people left the directory',
    'those who are never touched are not counted'
  )
})
