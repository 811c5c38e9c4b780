import t from 'tap'
import { deactivate } from '../../src/invitations/deactivate.ts'
import { revoke } from '../../src/invitations/revoke.ts'
import { addUser, startApp } from '../support/app.ts'
import { readCsv } from '../support/csv.ts'
import { expire, invite, inviteOne, sql } from '../support/people.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const cleo = await browser('cleo')

const rowsOf = (body: string) =>
  [...body.matchAll(/<tr data-enrollment="([\w-]+)" data-delivery="([\w-]*)">([\s\S]*?)<\/tr>/g)].map(
    ([, enrollment, delivery, text]) => ({ enrollment, delivery, email: /[\w.%+-]+@[\w.-]+/.exec(text!)?.[0] })
  )
const list = async (query = '') => rowsOf((await cleo.get(`/people${query && `?${query}`}`)).body)
const emails = async (query: string) => (await list(query)).map(({ email }) => email)

await inviteOne(db, ids.ben, 'invited@larkfield.example')
await expire(db, (await inviteOne(db, ids.ben, 'expired@larkfield.example')).personId)
await revoke(db, ids.ben, (await inviteOne(db, ids.ben, 'revoked@larkfield.example')).invitationId)
await deactivate(db, ids.ada, await addUser(db, 'left', 'member'))
await db.execute(sql`insert into people (email, address_key, name) values
  ('heard.of@larkfield.example', 'heard.of@larkfield.example', 'Heard 100%_Of'), ('Gasse_1@larkfield.example', 'gasse_1@larkfield.example', null)`)

t.test('the list shows everyone with enrollment and delivery, sorted by address', async t => {
  const rows = await list()
  t.equal(rows.length, 10)
  const enrollment = Object.fromEntries(rows.map(row => [row.email?.split('@')[0], row.enrollment]))
  t.match(enrollment, { invited: 'invited', expired: 'expired', revoked: 'revoked', left: 'deactivated' })
  t.match(enrollment, { ada: 'signed-up', 'heard.of': 'not-invited' })
  t.match(rows.find(({ email }) => email?.startsWith('revoked'))?.delivery, 'cancelled')
  t.match(rows.find(({ email }) => email?.startsWith('invited'))?.delivery, 'queued')
  t.match(rows.find(({ email }) => email?.startsWith('ada'))?.delivery, '')
})

t.test('an address that is too long for a phone’s screen breaks after @ and dots, others stay whole', async t => {
  const long = 'somebody.with.a.long.name@larkfield.example'
  await db.execute(sql`insert into people (email, address_key) values (${long}, ${long})`)
  const { body } = await cleo.get('/people?q=somebody')
  t.match(body, 'somebody.<wbr>with.<wbr>a.<wbr>long.<wbr>name@<wbr>larkfield.<wbr>example')
  t.match((await cleo.get('/people?q=cleo')).body, 'cleo@larkfield.example')
  await db.execute(sql`delete from people where email = ${long}`)
})

t.test('people are counted by enrollment, in plain digits', async t => {
  const { body } = await cleo.get('/people')
  const counts = Object.fromEntries(
    [...body.matchAll(/data-count="([\w-]+)" data-value="(\d+)"/g)].map(([, name, value]) => [name, Number(value)])
  )
  t.match(counts, { 'not-invited': 2, invited: 1, expired: 1, revoked: 1, 'signed-up': 4, deactivated: 1 })
})

t.test('a search finds any part of names and addresses, in any case, and takes % and _ literally', async t => {
  t.same(await emails('q=INVITED'), ['invited@larkfield.example'])
  t.same(await emails('q=cle'), ['cleo@larkfield.example'])
  t.same(await emails('q=100%25_O'), ['heard.of@larkfield.example'])
  t.same(await emails('q=heard%25of'), [])
  t.same(await emails('q=e_1'), ['Gasse_1@larkfield.example'])
  t.same(await emails('q=heard_of'), [])
  t.same(await emails('q=%5C%5C'), [], 'a backslash is itself')
  t.same(await emails('q=%20%20cleo%20'), ['cleo@larkfield.example'], 'blanks around it do not count')
  t.equal((await emails('q=c')).length, 10, 'one character is no search')
  t.equal((await emails('q=')).length, 10)
  t.match((await cleo.get('/people?q=%22%3E%3Cb%3E')).body, 'value="&quot;&gt;&lt;b&gt;"')
})

t.test('the filters for enrollment and for the newest email work alone, together and with a search', async t => {
  for (const [status, count] of Object.entries({
    'not-invited': 2,
    invited: 1,
    expired: 1,
    revoked: 1,
    'signed-up': 4,
    deactivated: 1
  })) {
    const rows = await list(`status=${status}`)
    t.equal(rows.length, count, status)
    t.same(new Set(rows.map(row => row.enrollment)), new Set([status]))
  }
  t.equal((await list('delivery=cancelled')).length, 1)
  t.equal((await list('delivery=queued')).length, 2)
  t.same(await emails('delivery=queued&status=expired'), ['expired@larkfield.example'])
  t.same(await emails('status=signed-up&q=da'), ['ada@larkfield.example', 'dan@larkfield.example'])
  t.equal((await list('status=nonsense&delivery=constructor')).length, 10, 'a filter that is none shows all')
  await work()
  t.equal((await list('delivery=sent')).length, 1)
})

t.test('the page says how many people match: no one, one, many', async t => {
  const none = (await cleo.get('/people?q=nobody-like-this')).body
  t.match(none, 'No one matches')
  t.match(none, '<a href="/people">Show everyone</a>')
  t.match((await cleo.get('/people?q=heard.of')).body, '<p class="sr" role="status">1 person</p>')
  t.match((await cleo.get('/people')).body, '<p class="sr" role="status">10 people</p>')
})

t.test('a long list is read page by page, each person once, and the filters stay', async t => {
  const many = Array.from({ length: 130 }, (_, index) => `many${String(index).padStart(3, '0')}@larkfield.example`)
  await invite(db, ids.ben, ...many)
  const seen: (string | undefined)[] = []
  let pages = 0
  for (let next: string | undefined = '/people?q=many&status=invited'; next; pages += 1) {
    const { body } = await cleo.get(next)
    seen.push(...rowsOf(body).map(({ email }) => email))
    next = /href="(\/people\?[^"]+)" rel="next"/.exec(body)?.[1]?.replaceAll('&amp;', '&')
    if (next) t.match(next, /q=many&status=invited/)
    if (pages > 0) t.match(body, 'First page')
  }
  t.equal(pages, 3)
  t.same(seen, many)
  const last = await cleo.get('/people?q=many&after=zzz')
  t.equal(last.statusCode, 200)
  t.match(last.body, 'No one matches')
})

t.test('an htmx search gets only the results, any other request the whole page', async t => {
  const part = (await cleo.get('/people?q=cleo', { 'hx-request': 'true', 'hx-request-type': 'partial' })).body
  t.notMatch(part, '<html')
  t.equal(rowsOf(part).length, 1)
  t.match((await cleo.get('/people?q=cleo', { 'hx-request': 'true', 'hx-request-type': 'full' })).body, '<html')
})

t.test('people.csv has everyone who matches the filters, beyond the first page, and the page links to it', async t => {
  const table = async (query: string) => {
    const { body, headers } = await cleo.get(`/people.csv?${query}`)
    t.match(headers, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="people.csv"'
    })
    const [header, ...rows] = readCsv(body.replace(/^\uFEFF/, ''))
    t.same(header, ['name', 'address', 'role', 'enrollment', 'delivery', 'invited_at', 'signed_up_at', 'no_mail'])
    return rows
  }
  t.equal((await table('')).length, 140)
  t.equal((await table('q=many&status=invited')).length, 130)
  t.match(await table('q=heard.of'), [
    ['Heard 100%_Of', 'heard.of@larkfield.example', 'member', 'not-invited', '', '', '', '']
  ])
  t.match(await table('q=ada'), [['Ada', 'ada@larkfield.example', 'owner', 'signed-up', '', '', /^20.*Z$/, '']])
  t.match(await table('status=revoked'), [['', /^revoked@/, 'member', 'revoked', 'cancelled', /^20.*Z$/, '', '']])
  await db.execute(
    sql`insert into people (email, address_key, name) values ('=x@larkfield.example', '=x@larkfield.example', '@sum')`
  )
  t.match(await table('q=%3Dx'), [["'@sum", "'=x@larkfield.example"]], 'S10: no formula')
  const page = (await cleo.get('/people?q=many&status=invited&after=many050@larkfield.example')).body
  t.match(page, 'href="/people.csv?q=many&amp;status=invited" download', 'from the beginning')
})
