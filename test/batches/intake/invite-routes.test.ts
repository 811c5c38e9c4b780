import t from 'tap'
import { domains, startApp } from '../../support/app.ts'
import { one, sql } from '../../support/people.ts'
import { everyRow } from '../../support/rows.ts'

const { db, browser, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
const post = (...email: string[]) => ben.post('/invite', { email })
const fieldsOf = (body: string) =>
  [
    ...body.matchAll(
      /<input class="input" id="email-\d+" name="email" type="text" inputmode="email"[^>]* value="([^"]*)"/g
    )
  ].map(([, value]) => value)
const invitedIn = (location: string) =>
  one<{ addresses: string[] }>(
    db,
    sql`select array_agg(address order by line) as addresses from recipients where batch_id = ${location.split('/').at(-1)}`
  )

t.test('the form has five empty address fields, and a way to clear it', async t => {
  const page = await ben.get('/invite')
  t.equal(page.statusCode, 200)
  t.same(fieldsOf(page.body), ['', '', '', '', ''])
  t.match(page.body, /<a class="btn" href="\/invite">Clear all<\/a>/)
  t.match(page.body, 'Send invitations')
  for (const domain of domains) t.match(page.body, domain)
})

t.test('one to five addresses in any of the fields are invited as one batch', async t => {
  for (const typed of [
    ['one@larkfield.example'],
    ['', '', 'two@larkfield.example', '', ''],
    [
      'a1@larkfield.example',
      'a2@larkfield.example',
      'a3@larkfield.example',
      'a4@larkfield.example',
      'a5@larkfield-retail.example'
    ]
  ]) {
    const answer = await post(...typed)
    t.equal(answer.statusCode, 303)
    t.match(answer.headers.location, /^\/batches\/\d+$/)
    t.same(await invitedIn(answer.headers.location!), { addresses: typed.filter(Boolean) })
    t.equal((await ben.get(answer.headers.location!)).statusCode, 200)
  }
})

t.test('several addresses in one field count as several, with any separator', async t => {
  for (const [index, between] of [',', ';', ' ', '\n', '\r\n', ', ', ' ; ', '\t', ',,;; \n'].entries()) {
    const typed = [`x${index}@larkfield.example`, `y${index}@larkfield.example`]
    const answer = await post(typed.join(between), '', `  z${index}@larkfield.example  `)
    t.equal(answer.statusCode, 303, JSON.stringify(between))
    t.same(await invitedIn(answer.headers.location!), { addresses: [...typed, `z${index}@larkfield.example`] })
  }
})

t.test('rows 19 and 22: a field accepts addresses copied from mail programs, and drops the name', async t => {
  const typed: [string, string[]][] = [
    ['Doe, Jane <jane@larkfield.example>; Roe, Rick <rick@larkfield.example>', ['jane', 'rick']],
    ['"Last, First" <first@larkfield.example>', ['first']],
    ['Nora Day <nora@larkfield.example>, "Oz, Ola" <ola@larkfield.example>', ['nora', 'ola']],
    ['<angle@larkfield.example>', ['angle']],
    ['blank@larkfield.example;', ['blank']],
    [';before@larkfield.example', ['before']],
    ['after@larkfield.example,,', ['after']],
    ["o'brien@larkfield.example\u00a0", ["o'brien"]]
  ]
  for (const [text, locals] of typed) {
    const answer = await post(text)
    t.equal(answer.statusCode, 303, text)
    t.same(await invitedIn(answer.headers.location!), { addresses: locals.map(local => `${local}@larkfield.example`) })
  }
})

t.test('an ambiguous address is refused with the obvious correction, and nothing is sent', async t => {
  const before = await everyRow(db)
  const wrong: [string, RegExp][] = [
    ["'eve@larkfield.example", /Did you mean eve@larkfield\.example\?/],
    ['Eve Doe eve@larkfield.example', /Did you mean eve@larkfield\.example\?/],
    ['eve@larkfield.example<mailto:eve@larkfield.example>', /Did you mean eve@larkfield\.example\?/],
    ['eve@elsewhere.example <eve@larkfield.example>', /more than one address/],
    ['Eve <eve@elsewhere.example>', /elsewhere\.example is not one of your domains/]
  ]
  for (const [text, words] of wrong) {
    const answer = await post(text, 'good2@larkfield.example')
    t.equal(answer.statusCode, 422, text)
    t.match(answer.body, words)
  }
  t.same(await everyRow(db), before)
})

t.test('more than five addresses are kept, with an error that points to Bulk invite', async t => {
  const six = Array.from({ length: 6 }, (_, index) => `six${index}@larkfield.example`)
  for (const typed of [[six.join(' ')], [six.slice(0, 3).join(','), ...six.slice(3)], six]) {
    const before = await everyRow(db)
    const answer = await post(...typed)
    t.equal(answer.statusCode, 422)
    t.match(answer.body, 'Bulk invite')
    for (const address of six) t.ok(answer.body.includes(address))
    t.same(await everyRow(db), before)
  }
})

t.test('an empty form is an error', async t => {
  for (const typed of [[''], ['', '', '', '', ''], ['  ', '\n', '\t', '\u00a0', ''], []]) {
    const answer = await post(...typed)
    t.equal(answer.statusCode, 422)
    t.match(answer.body, 'Enter at least one address')
    t.match(answer.body, /id="errors" autofocus/)
  }
})

t.test('with one invalid or foreign address nothing is sent, and all input stays', async t => {
  const wrong: [string, RegExp][] = [
    ['nobody', /no @ sign/],
    ['a@b@larkfield.example', /two @ signs/],
    ['kim@elsewhere.example', /elsewhere\.example is not one of your domains/],
    ['kim@larkfeild.example', /Did you mean larkfield\.example\?/],
    ['kim@larkfield', /domain is incomplete\. Did you mean larkfield\.example\?/],
    ['kim@sub.larkfield.example', /sub\.larkfield\.example is not one of your domains/],
    ['<script>alert(1)</script>', /href="#email-2"/],
    ['mailto:kim@larkfield.example', /mailto/],
    ['kim..x@larkfield.example', /Two dots in a row/],
    [`${'x'.repeat(65)}@larkfield.example`, /longer than 64/]
  ]
  for (const [address, words] of wrong) {
    const before = await everyRow(db)
    const answer = await post('good@larkfield.example', address, '', 'last@larkfield.example')
    t.equal(answer.statusCode, 422, address)
    t.match(answer.body, words)
    t.match(answer.body, 'Nothing was sent.')
    t.same(fieldsOf(answer.body), [
      'good@larkfield.example',
      address.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
      '',
      'last@larkfield.example',
      ''
    ])
    t.match(answer.body, /aria-describedby="email-2-e" aria-invalid="true"/, 'the field says so itself')
    t.same(await everyRow(db), before)
  }
})

t.test('all wrong addresses are reported at once', async t => {
  const answer = await post('nobody', 'kim@elsewhere.example', 'fine@larkfield.example')
  t.match(answer.body, '2 things need correcting')
  for (const href of ['#email-1', '#email-2']) t.match(answer.body, `href="${href}"`)
  t.notMatch(answer.body, 'href="#email-3"')
})

t.test('a repeated address counts once, in any spelling', async t => {
  const answer = await post('kim@larkfield.example', 'KIM@Larkfield.Example')
  t.equal(answer.statusCode, 303)
  const id = answer.headers.location!.split('/').at(-1)
  t.match(await one(db, sql`select invite, duplicate from batches where id = ${id}`), { invite: 1, duplicate: 1 })
})

t.test('an unknown team is an error', async t => {
  const answer = await ben.post('/invite', { email: 'teamed@larkfield.example', team: '1' })
  t.equal(answer.statusCode, 422)
  t.match(answer.body, 'There is no such team')
})
