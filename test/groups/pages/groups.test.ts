import t from 'tap'
import { startApp } from '../../support/app.ts'
import { environmentOf, startCompany } from '../../support/directory-site.ts'
import { tagsOf } from '../../support/html.ts'
import { one, sql } from '../../support/people.ts'

const slapd = await startCompany()
const rollcall = await startApp({ environment: environmentOf(slapd) })
const { db, browser, work, close } = rollcall
t.teardown(async () => {
  await close()
  await slapd.stop()
})
const ben = await browser('ben')
const boxesOf = (page: string) => tagsOf(page).filter(({ attributes }) => attributes.get('name') === 'group')
const search = async (q: string) => (await ben.get(`/groups?${new URLSearchParams({ q })}`)).body

t.test('search covers names, addresses and descriptions, literally, from the second character on', async t => {
  t.equal(boxesOf(await search('engineering')).length, 3)
  t.equal(boxesOf(await search('WHO BUILDS')).length, 1)
  t.equal(boxesOf(await search('sales@')).length, 1)
  t.equal(boxesOf(await search('0%')).length, 1)
  t.equal(boxesOf(await search('*')).length, 0)
  const one = await search('e')
  t.equal(boxesOf(one).length, 0)
  t.match(one, /role="status">Type one more character to search\./)
  t.notMatch(await search(''), /Type one more/)
  const page = await search('zz)(cn=*')
  t.equal(boxesOf(page).length, 0)
  t.match(page, /No group matches “zz\)\(cn=\*”/)
  t.match(await search('manag'), /Engineering <mark>Manag<\/mark>ers/)
})

t.test('htmx gets only the results', async t => {
  const headers = { 'hx-request': 'true', 'hx-request-type': 'partial' }
  const part = await ben.get('/groups?q=interns', headers)
  t.notMatch(part.body, /<html/)
  t.match(part.body, /role="status">1 group matches “interns”/)
})

t.test('earlier selections stay on top of the next search', async t => {
  const [box] = boxesOf(await search('interns'))
  const page = (await ben.get(`/groups?${new URLSearchParams({ q: 'sales', group: box!.attributes.get('value')! })}`))
    .body
  t.same(
    boxesOf(page).map(({ attributes }) => attributes.has('checked')),
    [true, false]
  )
  t.match(page, /1 group matches “sales”. Your earlier selection is listed first./)
})

t.test('selected groups are stored, read and shown; no one gets an email', async t => {
  const ids = boxesOf(await search('engineering')).map(({ attributes }) => attributes.get('value')!)
  const answer = await ben.post('/groups', { group: ids })
  t.match(answer, { statusCode: 303, headers: { location: '/groups' } })
  const waiting = (await ben.get('/groups')).body
  t.match(waiting, /Syncing 3 groups\. This does not invite anyone/)
  t.match(waiting, /data-sync="running"/)
  t.match(waiting, /First sync/)
  t.notMatch(waiting, /No members|\d of \d+ signed up/, 'the members are not known yet')
  t.match(waiting, /data-hx-get="\/groups\?refresh=synced"/)
  await work()
  const page = (await ben.get('/groups')).body
  t.notMatch(page, /refresh=synced/)
  t.equal(page.match(/data-group="\d+" data-sync="done"/g)?.length, 3)
  t.match(page, /3 groups, 71 members/)
  t.match(page, /0 of [\d,]+ signed up/)
  const boxes = boxesOf(await search('engineering'))
  t.ok(
    boxes.every(({ attributes }) => attributes.has('disabled')),
    'what is synced cannot be ticked'
  )
  t.same(await db.execute(sql`select from deliveries`), [])
})

t.test('the table can be sorted and paged', async t => {
  const names = async (query: string) => {
    const page = (await ben.get(`/groups${query}`)).body
    return [...page.matchAll(/id="synced-\d+" href="[^"]+">([^<]+)</g)].map(([, name]) => name)
  }
  t.same(await names(''), ['Engineering', 'Engineering Interns', 'Engineering Managers'])
  t.same(await names('?sort=members'), ['Engineering', 'Engineering Interns', 'Engineering Managers'])
  const { id } = await one<{ id: number }>(db, sql`select id from directory_groups where name = 'Engineering'`)
  t.same(await names(`?sort=members&after=${id}`), ['Engineering Interns', 'Engineering Managers'])
  t.equal((await names('?sort=sync')).length, 3)
})

t.test('the group’s shares are shown in words and as a bar', async t => {
  await db.execute(sql`update people set invitation_id = 1, invited_at = now(), invitation_expires_at = now() + interval '1 day'
    where email in ('p40@larkfield.example', 'p41@larkfield.example')`)
  await db.execute(sql`update people set signed_up_at = now() where email = 'p41@larkfield.example'`)
  const page = (await ben.get('/groups')).body
  t.match(page, /1 of 6 signed up, 1 waiting/)
})

t.test('Sync now leads to the run, which says what it read', async t => {
  const { id } = await one<{ id: number }>(db, sql`select id from directory_groups where name = 'Engineering Managers'`)
  const answer = await ben.post(`/groups/${id}/sync-runs`)
  t.equal(answer.statusCode, 303)
  const { location } = answer.headers
  t.match(location, /\/sync-runs\/\d+$/)
  const headers = { 'hx-request': 'true', 'hx-request-type': 'partial' }
  const waiting = await ben.get(`${location}?refresh=running`, headers)
  t.match(waiting.body, /Reading the group/)
  t.equal(waiting.headers['hx-refresh'], undefined)
  await work()
  t.equal((await ben.get(`${location}?refresh=running`, headers)).headers['hx-refresh'], 'true')
  const page = (await ben.get(location!)).body
  t.match(page, /data-sync="done"/)
  t.match(page, /No changes/)
  t.match(page, /5 of 5 members/)
  t.match(page, /Requested by Ben/)
})

t.test('stopping keeps the team or deletes it', async t => {
  const { id } = await one<{ id: number }>(db, sql`select id from directory_groups where name = 'Engineering Managers'`)
  t.equal((await ben.post(`/groups/${id}/removal`, { team: 'perhaps' })).statusCode, 422)
  t.match(await ben.post(`/groups/${id}/removal`, { team: 'keep' }), {
    statusCode: 303,
    headers: { location: '/groups' }
  })
  t.equal((await ben.get(`/groups/${id}`)).statusCode, 404)
  t.match((await ben.get('/teams?q=managers')).body, /Made by hand/)
  const [box] = boxesOf(await search('managers'))
  t.notOk(box!.attributes.has('disabled'))
})

t.test('an unreachable directory is reported, and synced groups stay', async t => {
  await slapd.stop()
  const page = await ben.get('/groups?q=engineering')
  t.equal(page.statusCode, 200)
  t.match(page.body, /The directory did not answer/)
  t.match(page.body, /2 groups, 66 members/)
  const answer = await ben.post('/groups', { group: 'some-id' })
  t.equal(answer.statusCode, 503)
  t.match(answer.body, /id="errors"/)
})

t.test('without directory sign-in nothing is synced, and the page says where to turn it on', async t => {
  const { browser, close } = await startApp()
  t.teardown(close)
  const ada = await browser('ada')
  t.match((await ada.get('/groups')).body, /href="\/settings\/sign-in"/)
  t.match((await ada.get('/groups?q=engineering')).body, /No directory is set up yet/)
  const answer = await ada.post('/groups', { group: 'some-id' })
  t.equal(answer.statusCode, 409)
  t.match(answer.body, /href="\/settings\/sign-in"/)
})
