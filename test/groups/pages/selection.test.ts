import t from 'tap'
import { readView } from '../../../src/groups/members/view.ts'
import { type Browser, startApp } from '../../support/app.ts'
import { batchOf, eventsSince, lastEvent, verdictsOf } from '../../support/batches.ts'
import { addGroup } from '../../support/groups.ts'
import { tagsOf } from '../../support/html.ts'
import { invite, one, sql } from '../../support/people.ts'
import { everyRow } from '../../support/rows.ts'

const { db, browser, ids, work, close } = await startApp()
t.teardown(close)
const at = (name: string) => `${name}@larkfield.example`
const many = Array.from({ length: 60 }, (_, index) => ({
  email: at(`p${index}`),
  name: `Person ${String(index).padStart(2, '0')}`,
  department: index < 55 ? 'Platform' : 'Data',
  title: index % 2 ? 'Engineer' : 'Lead'
}))
const group = await addGroup(db, 'Engineering', [
  ...many,
  { email: at('off'), name: 'Off', department: 'Data', isDisabled: true },
  { email: 'eve@elsewhere.example', name: 'Eve', department: 'Data' },
  { email: at('dan'), department: 'Data' }
])
const other = await addGroup(db, 'Sales', [{ email: at('sally'), department: 'Sales' }])
const ben = await browser('ben')
const base = `/groups/${group.id}`
const id = (name: string) => String(group.people[name])

/** The selection in an address, and the number of people that its page shows. */
async function follow(visitor: Browser, answer: { statusCode: number; headers: { location?: string | undefined } }) {
  t.equal(answer.statusCode, 303)
  const { location } = answer.headers
  const { selection } = readView(Object.fromEntries(new URL(location!, 'http://x').searchParams))
  const page = await visitor.get(location!)
  return { selection: String(selection), location: location!, page: page.body, count: countIn(page.body) }
}
const countIn = (page: string) => Number(/data-total="(\d+)"/.exec(page)?.[1])
const post = (fields: Record<string, string | string[]>, path = 'selections') => ben.post(`${base}/${path}`, fields)
const tickedIn = (page: string) =>
  tagsOf(page)
    .filter(({ attributes }) => attributes.get('name') === 'ticked')
    .map(({ attributes }) => attributes.get('value'))

t.test('a section except one person includes everyone else in it, even on other pages', async t => {
  const { count, page } = await follow(ben, await post({ by: 'department', section: 'Platform', except: id('p3') }))
  t.equal(count, 54)
  t.match(page, /data-partial/)
  t.notOk(tickedIn(page).includes(id('p3')))
})

t.test('selecting all matches selects exactly the people that the filter shows', async t => {
  const first = await follow(ben, await post({ by: 'title', q: 'engineer', all: '1' }))
  t.equal(first.count, 30)
  t.match(first.location, /by=title&q=engineer&selection=/, 'the page stays as it was')
  const more = await follow(ben, await post({ selection: first.selection, by: 'department', section: 'Data' }))
  t.equal(more.count, 30 + 8 - 3, 'three of them were in it')
  const cleared = await follow(ben, await post({ selection: first.selection, clear: '1', member: id('p1') }))
  t.equal(cleared.count, 1)
})

t.test('S23: people outside the group, and selections of another user or group, are not selected', async t => {
  const foreign = await follow(ben, await post({ member: [id('p1'), String(other.people.sally), String(ids.cleo)] }))
  t.equal(foreign.count, 1)
  const ada = await browser('ada')
  const hers = await follow(
    ada,
    await ada.post(`${base}/selections`, { selection: foreign.selection, member: id('p2') })
  )
  t.not(hers.selection, foreign.selection)
  t.equal(hers.count, 1)
  t.equal(countIn((await ada.get(`${base}?selection=${foreign.selection}`)).body), 0)
  t.equal((await ada.get(`${base}/review?selection=${foreign.selection}`)).statusCode, 404)
  t.equal((await ada.post(`${base}/invitations`, { selection: foreign.selection })).statusCode, 422)
  t.equal((await ben.get(`/groups/${other.id}/review?selection=${foreign.selection}`)).statusCode, 404)
})

t.test('fields that no form has are refused', async t => {
  t.equal((await post({ member: 'x' })).statusCode, 422)
  for (const [name, value] of Object.entries({ by: 'shoe', status: 'x', delivery: 'lost', all: '2', clear: 'yes' }))
    t.equal((await post({ all: '1', [name]: value })).statusCode, 422, `${name}=${value} selects no one`)
  t.equal((await post({ member: id('p1'), role: 'owner' })).statusCode, 400)
  const nobody = await post({ by: 'department' }, 'review')
  t.equal(nobody.statusCode, 422)
  t.match(nobody.body, /Select the people to invite/)
})

/** A form as a browser without JavaScript sends it: the fields of the page, with some boxes changed. */
function formOf(page: string, { tick = [], untick = [] }: { tick?: string[]; untick?: string[] }) {
  const fields: Record<string, string[]> = {}
  const form = page.slice(page.search(/<form\s+class="stack"/), page.lastIndexOf('</form>'))
  for (const { name, attributes } of tagsOf(form)) {
    const [field, value] = [attributes.get('name'), (attributes.get('value') ?? '').replaceAll('&amp;', '&')]
    if (name !== 'input' || !field || field === 'team') continue
    const isBox = attributes.get('type') === 'checkbox'
    const isTicked = (attributes.has('checked') && !untick.includes(value)) || tick.includes(value)
    if (!isBox || isTicked) fields[field] = [...(fields[field] ?? []), value]
  }
  return fields
}

t.test('without JavaScript selections and deselections survive sections, pages and filters', async t => {
  const start = (await ben.get(`${base}?by=department&open=Platform`)).body
  const more = /formaction="([^"]*after=Platform[^"]*)"/.exec(start)![1]!.replaceAll('&amp;', '&')
  const second = await follow(ben, await ben.post(more, formOf(start, { tick: ['Platform', id('p0')] })))
  t.equal(second.count, 55)
  t.notMatch(second.page, new RegExp(`name="member" value="${id('p0')}"`), 'the next page of the section')
  const third = await follow(ben, await ben.post(`${base}/selections`, formOf(second.page, { untick: [id('p52')] })))
  t.equal(third.count, 54)
  const byTitle = await follow(ben, await ben.post(`${base}/selections?by=title`, formOf(third.page, {})))
  t.equal(byTitle.count, 54)
  t.match(byTitle.location, /by=title/)
  const filtered = await follow(
    ben,
    await ben.post(`${base}/selections`, { ...formOf(byTitle.page, { tick: [id('p59')] }), q: 'person 1' })
  )
  t.equal(filtered.count, 55, 'and what was ticked on the way is in it')
  t.match(filtered.location, /q=person\+1/)
  const out = await follow(ben, await ben.post(`${base}/selections`, formOf(filtered.page, { untick: ['Engineer'] })))
  t.equal(out.count, 50, 'the deselected section loses only the people that the page showed')
})

t.test('a section means the people shown on the page, not a search typed since', async t => {
  const page = (await ben.get(`${base}?by=department&q=lead`)).body
  const fields = { ...formOf(page, { tick: ['Platform'] }), q: 'engineer' }
  const { count, location } = await follow(ben, await ben.post(`${base}/selections`, fields))
  t.equal(count, 28)
  t.match(location, /q=engineer/)
})

t.test('the review says who gets an email and who does not, and sends nothing', async t => {
  await invite(db, ids.ada, at('p0'))
  await db.execute(sql`insert into suppressions (address_key, cause) values (${at('p1')}, 'bounced')`)
  const { headers } = await post({ all: '1' }, 'review')
  t.match(headers.location, /\/review\?selection=\d+$/)
  const before = await everyRow(db)
  const page = (await ben.get(headers.location!)).body
  const counts = Object.fromEntries(
    [...page.matchAll(/data-count="([\w-]+)" data-value="(\d+)"/g)].map(([, name, value]) => [name, Number(value)])
  )
  t.same(counts, {
    ...{ invite: 58, pending: 1, active: 1, deactivated: 0, suppressed: 1, disabled: 1, foreign: 1, left: 0 }
  })
  t.match(page, /58 people get an invitation/)
  t.match((await ben.get(`${headers.location}&show=disabled`)).body, /off@larkfield\.example/)
  t.same(await everyRow(db), before, 'looking changes nothing')
})

t.test('the reviewed selection is sent as one batch, even if requested repeatedly', async t => {
  const { headers } = await post({ section: 'Data', by: 'department' }, 'review')
  const selection = new URL(headers.location!, 'http://x').searchParams.get('selection')!
  const event = await lastEvent(db)
  const answers = await Promise.all([1, 2, 3].map(() => ben.post(`${base}/invitations`, { selection })))
  const places = new Set(answers.map(answer => answer.headers.location))
  t.equal(places.size, 1, 'three times at the same moment')
  const batch = Number(/\d+$/.exec([...places][0]!)![0])
  await work()
  t.match(await batchOf(db, batch), {
    source: 'group',
    state: 'done',
    invite: 5,
    active: 1,
    foreign: 1,
    groupId: String(group.id)
  })
  t.same((await verdictsOf(db, batch)).sort(), ['active', 'foreign', ...Array(5).fill('invite')])
  t.same(await eventsSince(db, event), ['invitations-sent'])
  t.equal((await ben.post(`${base}/invitations`, { selection })).headers.location, `/batches/${batch}`)
  for (const page of ['/batches', `/batches/${batch}`])
    t.match((await ben.get(page)).body, 'Engineering', 'a batch says from which group it came')
  t.equal((await ben.get(headers.location!)).headers.location, `/batches/${batch}`, 'its review is over')
  const off = await one(db, sql`select invitation_id from people where address_key = ${at('off')}`)
  t.equal(off.invitationId, null, 'who is disabled in the directory gets no mail')
  const again = await follow(ben, await post({ selection, member: id('p9') }))
  t.not(again.selection, selection, 'a selection that was sent is not ticked any more')
  t.equal(again.count, 1)
})

t.test('a selection in which no one would get an email sends nothing', async t => {
  const { headers } = await post({ member: id('dan') }, 'review')
  t.match((await ben.get(headers.location!)).body, /No invitations to send/)
  const selection = new URL(headers.location!, 'http://x').searchParams.get('selection')!
  t.equal((await ben.post(`${base}/invitations`, { selection })).statusCode, 409)
})

t.test('a page of 100 sections with long names fits in a form, all open and all selected', async t => {
  const longName = (section: number) => `${'業務推進部門'.repeat(32)}${100 + section}`
  const wide = await addGroup(
    db,
    'Wide',
    Array.from({ length: 202 }, (_, index) => ({ email: at(`wide${index}`), department: longName(index % 101) }))
  )
  const keysIn = (page: string) => tagsOf(page).flatMap(({ attributes }) => attributes.get('data-section') ?? [])
  const first = (await ben.get(`/groups/${wide.id}`)).body
  const keys = keysIn(first)
  t.equal(keys.length, 100)
  t.match(first, longName(0))
  const open = `/groups/${wide.id}?${new URLSearchParams([['by', 'department'], ...keys.map(key => ['open', key])])}`
  const all = await follow(ben, await ben.post(`/groups/${wide.id}/selections`, { by: 'department', all: '1' }))
  const page = (await ben.get(`${open}&selection=${all.selection}`)).body
  t.equal((page.match(/aria-expanded="true"/g) ?? []).length, 100)
  const fields = tagsOf(page).filter(({ name, attributes }) => name === 'input' && attributes.has('name'))
  const isSent = ({ attributes }: (typeof fields)[number]) =>
    attributes.get('type') !== 'checkbox' || attributes.has('checked')
  const sent = fields.filter(isSent).map(({ attributes }) => [attributes.get('name')!, attributes.get('value') ?? ''])
  t.equal(sent.filter(([name]) => name === 'section').length, 100)
  const form = new URLSearchParams(sent).toString()
  t.ok(form.length < 40_000, `${form.length} bytes of 64 kB`)
  const grouped: Record<string, string[]> = {}
  for (const [name, value] of sent) grouped[name!] = [...(grouped[name!] ?? []), value!]
  const out = { ...grouped, section: grouped.section!.slice(1), member: grouped.member!.slice(2) }
  t.equal((await follow(ben, await ben.post(`/groups/${wide.id}/selections`, out))).count, 200)
  const next = `/groups/${wide.id}?from=${encodeURIComponent(longName(99))}`
  t.equal(keysIn((await ben.get(next)).body).length, 1, 'the list continues after the last one')
  const old = { by: 'department', open: longName(0), section: longName(0) }
  const answer = await follow(ben, await ben.post(`/groups/${wide.id}/selections`, old))
  t.equal(answer.count, 2, 'a form with a whole long name means that section, too')
})
