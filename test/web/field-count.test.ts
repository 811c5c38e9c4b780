import t from 'tap'
import { maxFields } from '../../src/web/forms.ts'
import { baseUrl, encode, startApp } from '../support/app.ts'
import { addGroup } from '../support/groups.ts'
import { tagsOf } from '../support/html.ts'
import { sql } from '../support/people.ts'
import { routesOf, unknownRows, writes } from '../support/routes.ts'

const { app, db, browser, close } = await startApp()
t.teardown(close)
const type = { 'content-type': 'application/x-www-form-urlencoded' }
const visitor = { host: 'localhost:3000', origin: baseUrl, ...type }
const tooMany = 'a&'.repeat(maxFields)
/** 64 kB of fields took 50 seconds when each copied all previous ones; now they take less than one. */
const longest = 'a&'.repeat(32_000)
const wide = 5_000_000

t.test('S26: a form with too many fields is refused before its route, token or path is checked', async t => {
  const send = (url: string, payload: string, headers = visitor) =>
    app.inject({ method: 'POST', url, payload, headers })
  for (const url of ['/sign-in', '/nowhere', `/join/${'A'.repeat(43)}`]) {
    const answer = await send(url, tooMany)
    t.equal(answer.statusCode, 400, url)
    t.match(answer.body, `more than ${maxFields} fields`, url)
  }
  const before = process.cpuUsage()
  for (const url of ['/sign-in', '/nowhere', '/setup'])
    for (const form of [longest, '&'.repeat(64_000), 'a=1&b=2&'.repeat(8000)])
      t.equal((await send(url, form)).statusCode, 400)
  t.ok(process.cpuUsage(before).user < wide, 'not one of them costs what it did')
})

t.test('S26: the same applies to every other route', async t => {
  const ada = await browser('ada')
  const headers = { ...visitor, cookie: ada.cookie! }
  const others = writes(routesOf(app, unknownRows)).filter(
    ({ pattern }) => pattern !== '/bulk' && pattern !== '/unsubscribe/:token'
  )
  for (const { pattern, url } of others) {
    const answer = await app.inject({ method: 'POST', url, payload: tooMany, headers })
    t.equal(answer.statusCode, 400, pattern)
  }
})

t.test('S26: a query with too many fields is refused for every path', async t => {
  for (const url of ['/sign-in', '/nowhere', '/people', '/assets/none.css']) {
    const answer = await app.inject({ url: `${url}?${tooMany}`, headers: { host: 'localhost:3000' } })
    t.equal(answer.statusCode, 400, url)
  }
})

t.test('the largest page of a group, with everyone selected, fits in a form', async t => {
  const members = Array.from({ length: 200 }, (_, index) => ({
    email: `p${index}@larkfield.example`,
    department: `Department ${index % 100}`
  }))
  const { id } = await addGroup(db, 'Everyone', members)
  await db.execute(sql`analyze`)
  const ben = await browser('ben')
  const all = await ben.post(`/groups/${id}/selections`, { by: 'department', all: '1' })
  const open = encode({ open: Array.from({ length: 100 }, (_, index) => `Department ${index}`) })
  const page = await ben.get(`${all.headers.location}&${open}`)
  const inputs = tagsOf(page.body).filter(
    ({ name, attributes }) =>
      name === 'input' &&
      /^(member|ticked|section|ticked_section|of|selection|q|status|delivery|by)$/.test(attributes.get('name') ?? '')
  )
  const count = (name: string) => inputs.filter(({ attributes }) => attributes.get('name') === name).length
  t.same([count('member'), count('ticked'), count('section'), count('ticked_section')], [200, 200, 100, 100])
  t.ok(inputs.length < maxFields, `${inputs.length} fields`)
  const fields = inputs.map(({ attributes }) => [attributes.get('name')!, attributes.get('value') ?? ''])
  const answer = await app.inject({
    method: 'POST',
    url: `/groups/${id}/selections`,
    payload: new URLSearchParams(fields).toString().replaceAll('&by=department', ''),
    headers: { ...visitor, cookie: ben.cookie! }
  })
  t.equal(answer.statusCode, 303)
})

t.test('a group’s page with an oversized hidden field selects no one', async t => {
  const { id } = await addGroup(db, 'Sales', [{ email: 'sally@larkfield.example', department: 'Sales' }])
  const ben = await browser('ben')
  for (const query of [tooMany, 'q=%ff', 'q=%00'])
    t.equal((await ben.post(`/groups/${id}/selections`, { of: query, all: '1' })).statusCode, 400)
})
