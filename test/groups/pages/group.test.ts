import t from 'tap'
import { startApp } from '../../support/app.ts'
import { addGroup, addMembers } from '../../support/groups.ts'
import { tagsOf } from '../../support/html.ts'
import { expire, invite, one, sql } from '../../support/people.ts'

const { db, browser, ids, work, close } = await startApp()
t.teardown(close)
const at = (name: string) => `${name}@larkfield.example`
const many = Array.from({ length: 130 }, (_, index) => ({
  email: at(`p${index}`),
  name: `Person ${String(index).padStart(3, '0')}`,
  department: index < 120 ? 'Platform' : 'Data: and more',
  title: ['Engineer', 'Lead'][index % 2]!
}))
const group = await addGroup(db, 'Engineering', many)
const base = `/groups/${group.id}`
const [ben, cleo] = [await browser('ben'), await browser('cleo')]
const sectionsOf = (page: string) =>
  [...page.matchAll(/<tbody data-section="([^"]*)" data-people="(\d+)">/g)].map(([, key, n]) => [key, Number(n)])
const rowsOf = (page: string) =>
  tagsOf(page)
    .filter(({ attributes }) => attributes.has('data-person'))
    .map(({ attributes }) => attributes.get('data-person'))
const countsOf = (page: string) =>
  Object.fromEntries(
    [...page.matchAll(/data-count="([\w-]+)" data-value="(\d+)"/g)].map(([, name, n]) => [name, Number(n)])
  )

t.test('members are shown in sections by department, title or status, with counts', async t => {
  t.same(sectionsOf((await ben.get(base)).body), [
    ['Data: and more', 10],
    ['Platform', 120]
  ])
  t.same(sectionsOf((await ben.get(`${base}?by=title`)).body), [
    ['Engineer', 65],
    ['Lead', 65]
  ])
  t.same(sectionsOf((await ben.get(`${base}?by=status`)).body), [['not-invited', 130]])
  t.same(sectionsOf((await ben.get(`${base}?by=nonsense`)).body).length, 2)
})

t.test('a section shows 50 people at a time, and only when it is open', async t => {
  const closed = (await cleo.get(`${base}?open=`)).body
  t.equal(rowsOf(closed).length, 0)
  t.equal((closed.match(/aria-expanded="false"/g) ?? []).length, 2)
  const seen = new Set<string | undefined>()
  let url: string | undefined = `${base}?open=Platform`
  let pages = 0
  while (url) {
    const page: string = (await cleo.get(url)).body
    for (const person of rowsOf(page)) seen.add(person)
    url = /href="([^"]*)"[^>]*>\s*Show \d+ more/.exec(page)?.[1]?.replaceAll('&amp;', '&')
    pages += 1
  }
  t.same([pages, seen.size], [3, 120])
  const colon = await cleo.get(
    `${base}?by=department&open=${encodeURIComponent('Data: and more')}&after=${encodeURIComponent(`Data: and more:${group.people.p124}`)}`
  )
  t.equal(rowsOf(colon.body).length, 5)
})

t.test('a page never shows more than 200 people', async t => {
  const wide = await addGroup(
    db,
    'Wide',
    many.map((each, index) => ({ ...each, email: at(`w${index}`), title: `Title ${index % 13}` }))
  )
  const open = Array.from({ length: 13 }, (_, index) => `open=${encodeURIComponent(`Title ${index}`)}`).join('&')
  t.equal(rowsOf((await ben.get(`/groups/${wide.id}?by=title&${open}`)).body).length, 130)
  const more = await addMembers(
    db,
    wide.teamId,
    Array.from({ length: 300 }, (_, index) => ({ email: at(`v${index}`), title: `Title ${index % 13}` }))
  )
  t.ok(Object.keys(more).length === 300)
  t.ok(rowsOf((await ben.get(`/groups/${wide.id}?by=title&${open}`)).body).length <= 200)
})

t.test('statuses are counts and filters', async t => {
  await invite(db, ids.ben, at('p0'), at('p1'), at('p2'))
  await work()
  await expire(db, group.people.p2!)
  await db.execute(sql`update people set signed_up_at = now() where id = ${group.people.p1!}`)
  const page = (await ben.get(base)).body
  t.match(countsOf(page), { 'not-invited': 127, invited: 1, expired: 1, 'signed-up': 1, revoked: 0, deactivated: 0 })
  t.match(page, /Invite 127 people/)
  const expired = (await ben.get(`${base}?status=expired`)).body
  t.same(rowsOf(expired), [String(group.people.p2)])
  t.match(expired, /data-enrollment="expired" data-delivery="sent"/)
  t.match(countsOf(expired), { 'not-invited': 127 }, 'the counts are of the whole group')
  t.equal(rowsOf((await ben.get(`${base}?delivery=sent`)).body).length, 3)
  t.equal(rowsOf((await ben.get(`${base}?status=invited&delivery=bounced`)).body).length, 0)
})

t.test('search is literal and finds names, addresses and titles', async t => {
  t.match((await ben.get(`${base}?q=person+12`)).body, /10 people in 1 department</)
  t.match((await ben.get(`${base}?q=%25`)).body, /130 people/, 'one character searches nothing')
  t.match((await ben.get(`${base}?q=%25%25`)).body, /No members match/)
  t.match((await ben.get(`${base}?q=LEAD`)).body, /65 people/)
})

t.test('htmx gets the members and the figures, and after a selection only the bar', async t => {
  const headers = { 'hx-request': 'true', 'hx-request-type': 'partial' }
  const part = (await ben.get(`${base}?q=lead`, headers)).body
  t.notMatch(part, /<html/)
  t.match(part, /<hx-partial hx-target="#figures">/)
  const { headers: sent } = await ben.post(`${base}/selections`, { member: String(group.people.p3) })
  const bar = (await ben.get(sent.location!, { ...headers, 'hx-target': 'section#selbar' })).body
  t.match(bar, /<output data-count data-total="1">1<\/output>/)
  t.notMatch(bar, /<table/)
})

t.test('an auditor sees everything and cannot select', async t => {
  const page = (await cleo.get(`${base}?open=Platform`)).body
  t.notMatch(page, /type="checkbox"|formaction|Sync now|Stop syncing/)
  t.match(page, /href="\/groups\/\d+\?by=title/)
})

t.test('members.csv contains the people on the page', async t => {
  const { body, headers } = await cleo.get(`${base}/members.csv?status=expired`)
  t.match(headers['content-disposition'], /group-\d+\.csv/)
  const lines = body.split('\r\n')
  t.equal(lines[0], '\uFEFFname,address,department,title,enrollment,delivery,invited_at,signed_up_at,disabled')
  t.match(lines[1], /^Person 002,p2@larkfield\.example,Platform,Engineer,expired,sent,20/)
  t.equal(lines.length, 3)
})

t.test('the page reports a failed sync, one that waits, and people without an address', async t => {
  const { id } = await one<{ id: number }>(
    db,
    sql`insert into sync_runs (group_id, state, cause, reason, finished_at) values (${group.id}, 'failed', 'schedule', 'The server hung up', now()) returning id`
  )
  await db.execute(sql`update directory_groups set last_run_id = ${id} where id = ${group.id}`)
  t.match(
    (await ben.get(base)).body,
    /failed and changed nothing[\s\S]*The server hung up\. This page shows the group as of/
  )
  await db.execute(sql`update sync_runs set state = 'parked', parked = 12, reason = null where id = ${id}`)
  t.match((await ben.get(base)).body, /12 people would be removed from the team/)
  t.match((await ben.get(base)).body, /Review changes/)
  t.match((await cleo.get(base)).body, /See details/)
  await db.execute(
    sql`insert into left_out (group_id, directory_id, reason, name, dn) values (${group.id}, 'x', 'no-mail', 'Printer', 'cn=printer')`
  )
  t.match((await ben.get(base)).body, /Printer[\s\S]*no email address/)
})
