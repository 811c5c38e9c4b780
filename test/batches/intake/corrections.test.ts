import t from 'tap'
import { type Fields, startApp } from '../../support/app.ts'
import { countsOf, eventsSince, lastEvent, linesOf, upload } from '../../support/batches.ts'
import { everyRow } from '../../support/rows.ts'
import { takesAll } from '../../support/transports.ts'

const { db, browser, ids, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

const problems = [
  'Kim Doe <kim@larkfield.example>',
  'lee@larkfeild.example',
  'nobody at all',
  'ann@elsewhere.example',
  'good@larkfield.example'
]

async function judged(action: 'send' | 'check', lines = problems) {
  const id = await upload(ben, lines, { action })
  await work(takesAll())
  return id
}
const checked = (lines = problems) => judged('check', lines)
const sent = (lines = problems) => judged('send', lines)

const newest = async () => (await db.$client`select max(id) as id from batches`)[0]!.id

t.test('selected lines are invited with their edits, in a new batch that names the old one', async t => {
  const id = await sent()
  const before = await lastEvent(db)
  const answer = await ben.post(`/batches/${id}/corrections`, {
    line: ['1', '3'],
    'address-1': 'kim@larkfield.example',
    'address-2': 'lee@larkfield.example',
    'address-3': ' somebody@larkfield.example\r\n',
    'address-4': 'ann@elsewhere.example'
  })
  t.equal(answer.statusCode, 303)
  const corrected = await newest()
  t.equal(answer.headers.location, `/batches/${corrected}`)
  const transport = takesAll()
  await work(transport)
  t.same(transport.recipients.toSorted(), ['kim@larkfield.example', 'somebody@larkfield.example'])
  t.match(await countsOf(db, corrected), { state: 'done', all: 2, lines: { invite: 2 }, mails: { sent: 2 } })
  const [row] =
    await db.$client`select source, corrects_batch_id as corrects, created_by as by from batches where id = ${corrected}`
  t.same(row, { source: 'correction', corrects: id, by: ids.ben })
  t.match((await ben.get(`/batches/${corrected}`)).body, `corrects <a href="/batches/${id}">an earlier batch</a>`)
  const old = (await ben.get(`/batches/${id}`)).body
  t.match(old, `2 corrected lines were invited in <a href="/batches/${corrected}">another batch</a>`)
  t.same(await eventsSince(db, before), ['invitations-sent'])
  t.match(await countsOf(db, id), { state: 'done', lines: { malformed: 2, foreign: 2, invite: 1 } }, 'the report stays')
  t.match(old, /2 addresses were not invited\./, 'what was corrected needs no second look')
  for (const q of ['body@lark', 'kim@larkfield'])
    t.match((await ben.get(`/batches/${id}?q=${q}`)).body, `in batch ${corrected}`, 'found by what it was corrected to')
  t.notMatch(old, 'name="address-1"')
  t.notMatch(old, 'name="address-3"')
  t.match(old, 'not an address, 2 corrected')
  t.match(old, `There is no @ sign. Corrected to somebody@larkfield.example in batch ${corrected}`)
})

t.test('a corrected line is sent once, even if the form is sent again', async t => {
  const id = await sent([
    'Ola <ola1@larkfield.example>',
    'Oz <oz1@larkfield.example>',
    'Otto <otto1@larkfield.example>'
  ])
  const form = { line: ['1', '2'], 'address-1': 'ola1@larkfield.example', 'address-2': 'oz1@larkfield.example' }
  const [first, second] = await Promise.all([1, 2].map(() => ben.post(`/batches/${id}/corrections`, form)))
  t.same([first!.statusCode, second!.statusCode], [303, 303])
  t.equal(first!.headers.location, second!.headers.location, 'a double click leads to one batch')
  const before = await everyRow(db)
  for (const fields of [
    { ...form, 'address-2': 'somebody.else@larkfield.example' },
    { line: ['2', '3'], 'address-2': 'oz1@larkfield.example', 'address-3': 'otto1@larkfield.example' }
  ]) {
    const answer = await ben.post(`/batches/${id}/corrections`, fields as Fields)
    t.equal(answer.statusCode, 409)
    t.match(answer.body, /Line [12] has already been corrected\. Nothing was sent\./)
  }
  t.same(await everyRow(db), before)
  const transport = takesAll()
  await work(transport)
  t.same(transport.recipients.toSorted(), ['ola1@larkfield.example', 'oz1@larkfield.example'])
})

t.test('corrections of a checked batch join it, and are sent with it', async t => {
  const lines = ['Kai <kai@larkfield.example>', 'lou@larkfeild.example', 'nobody', 'max@larkfield.example', 'dan@x']
  const id = await checked(lines)
  const answer = await ben.post(`/batches/${id}/corrections`, {
    line: ['1', '2', '3', '5'],
    'address-1': 'Kai Doe <kai@larkfield.example>',
    'address-2': 'lou@larkfield.example',
    'address-3': 'Max@larkfield.example',
    'address-5': 'dan@larkfield.example'
  })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, `/batches/${id}`)
  const quiet = takesAll()
  await work(quiet)
  t.same(quiet.recipients, [], 'no mail leaves yet')
  const counts = { duplicate: 1, active: 1, invite: 3 }
  t.match(await countsOf(db, id), { state: 'checked', all: 5, lines: counts }, 'the counts add up to the lines')
  const page = (await ben.get(`/batches/${id}`)).body
  t.match(page, '4 lines corrected. Nothing is sent until you send the batch.')
  t.match(page, 'Send 3 invitations')
  t.notMatch(page, 'Needs a second look')
  t.match(page, 'Corrected to kai@larkfield.example')
  t.match(page, 'Corrected to Max@larkfield.example. Same address as line 4')
  const again = await ben.post(`/batches/${id}/corrections`, { line: '1', 'address-1': 'kai@larkfield.example' })
  t.equal(again.headers.location, `/batches/${id}`, 'the same form again changes nothing')
  const other = await ben.post(`/batches/${id}/corrections`, { line: '1', 'address-1': 'kit@larkfield.example' })
  t.equal(other.statusCode, 409)
  await ben.post(`/batches/${id}/sending`)
  const transport = takesAll()
  await work(transport)
  t.same(
    transport.recipients.toSorted(),
    ['kai@larkfield.example', 'lou@larkfield.example', 'max@larkfield.example'],
    'with the others'
  )
  t.match(await countsOf(db, id), { state: 'done', mails: { sent: 3 } })
})

t.test('the address of a refused form leads back to the batch', async t => {
  const answer = await ben.get('/batches/1/corrections?problems=50')
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/batches/1?problems=50')
})

t.test(
  'with a line that is still wrong: 422, nothing is sent, all input stays, and the summary has the focus',
  async t => {
    const id = await checked()
    const before = await everyRow(db)
    const answer = await ben.post(`/batches/${id}/corrections`, {
      line: ['2', '3', '4'],
      'address-1': 'untouched"><b>@larkfield.example',
      'address-2': 'lee@larkfield.example',
      'address-3': 'still nobody',
      'address-4': 'ann@larkfeild.example'
    })
    t.equal(answer.statusCode, 422)
    t.same(await everyRow(db), before)
    const { body } = answer
    t.match(body, /<title>Error: /)
    const [summary] = /<div class="callout bad" role="alert"[^>]*autofocus>.*?<\/div>/s.exec(body)!
    t.match(summary, 'Nothing was sent.')
    t.match(summary, '<a href="#address-3">Line 3: There is no @ sign</a>')
    t.match(
      summary,
      /<a href="#address-4">Line 4: larkfeild.example is not one of your domains. Did you mean larkfield.example\?<\/a>/
    )
    const value = (line: number) => new RegExp(`id="address-${line}"[^>]* value="([^"]*)"`).exec(body)![1]
    t.equal(value(1), 'untouched&quot;&gt;&lt;b&gt;@larkfield.example')
    t.equal(value(2), 'lee@larkfield.example')
    t.equal(value(3), 'still nobody')
    t.equal(value(4), 'ann@larkfeild.example')
    t.same(
      [...body.matchAll(/name="line" value="(\d)" checked/g)].map(match => match[1]),
      ['2', '3', '4']
    )
    t.match(body, /id="address-3"[^>]*aria-invalid="true" aria-describedby="address-3-e"/)
    t.notMatch(body, /id="address-2"[^>]*aria-invalid/)
  }
)

t.test('the field already contains the intended address if it is obvious', async t => {
  const id = await checked()
  const { body } = await ben.get(`/batches/${id}`)
  const values = [1, 2, 3, 4].map(line => new RegExp(`id="address-${line}"[^>]* value="([^"]*)"`).exec(body)![1])
  t.same(values, ['kim@larkfield.example', 'lee@larkfield.example', 'nobody at all', 'ann@elsewhere.example'])
  t.notMatch(body, 'id="address-5"')
  t.notMatch(body, /type="checkbox"[^>]* checked/, 'nothing is ticked beforehand')
})

t.test('a corrected line gets the same verdicts as any other', async t => {
  const id = await sent()
  const answer = await ben.post(`/batches/${id}/corrections`, {
    line: ['1', '2', '3', '4'],
    'address-1': 'dan@larkfield.example',
    'address-2': 'twice@larkfield.example',
    'address-3': 'Twice@larkfield.example',
    'address-4': 'kim@larkfield.example'
  })
  t.equal(answer.statusCode, 303)
  t.same(
    (await linesOf(db, await newest())).map(({ line, verdict, firstLine }) => [line, verdict, firstLine]),
    [
      [1, 'active', null],
      [2, 'invite', null],
      [3, 'duplicate', 2],
      [4, 'pending', null]
    ]
  )
})

t.test('no selection, or lines that need no correction or do not exist: 422, and nothing changes', async t => {
  const id = await checked()
  const before = await everyRow(db)
  const address = 'kim@larkfield.example'
  for (const fields of [
    {},
    { 'address-1': address },
    { line: '5', 'address-5': address },
    { line: ['1', '99'], 'address-1': address, 'address-99': address },
    { line: '0', 'address-1': address },
    { line: 'one' },
    { line: '1', 'address-1': '' },
    { line: '1' }
  ] as Fields[]) {
    t.equal((await ben.post(`/batches/${id}/corrections`, fields)).statusCode, 422, JSON.stringify(fields))
  }
  t.same(await everyRow(db), before)
})

t.test('unknown fields: 400; the page of another batch: 404; other roles: 403', async t => {
  const id = await checked()
  const before = await everyRow(db)
  const good = { line: '1', 'address-1': 'kim2@larkfield.example' }
  for (const fields of [
    { ...good, 'address-x': 'a' },
    { ...good, 'address-0': 'a' },
    { ...good, role: 'owner' },
    { ...good, 'address-1': ['a@larkfield.example', 'b@larkfield.example'] }
  ]) {
    t.equal((await ben.post(`/batches/${id}/corrections`, fields)).statusCode, 400, JSON.stringify(fields))
  }
  t.equal((await ben.post('/batches/99999/corrections', good)).statusCode, 404)
  t.same(await everyRow(db), before)
  for (const [persona, status] of [
    ['cleo', 403],
    ['dan', 403],
    [undefined, 401]
  ] as const) {
    const visitor = await browser(persona)
    t.equal((await visitor.post(`/batches/${id}/corrections`, good)).statusCode, status)
  }
  const cleo = await browser('cleo')
  const page = (await cleo.get(`/batches/${id}`)).body
  t.match(page, 'Kim Doe &lt;kim@larkfield.example&gt;', 'an auditor reads the problem lines')
  t.notMatch(page, 'address-1', 'and corrects none')
})

t.test('lines on the second page of problems can be corrected there', async t => {
  const id = await checked(Array.from({ length: 120 }, (_, index) => `person${index}@larkfeild.example`))
  const first = (await ben.get(`/batches/${id}`)).body
  t.match(first, 'name="address-50"')
  t.notMatch(first, 'name="address-51"')
  const next = /href="(\/batches\/\d+\?problems=50)"/.exec(first)![1]!
  const second = (await ben.get(next)).body
  t.match(second, `action="/batches/${id}/corrections?problems=50"`)
  const wrong = await ben.post(`/batches/${id}/corrections?problems=50`, { line: '51', 'address-51': 'x' })
  t.equal(wrong.statusCode, 422)
  t.match(wrong.body, /id="address-51"[^>]* value="x"/)
  const right = await ben.post(`/batches/${id}/corrections?problems=50`, {
    ...{ line: '51', 'address-51': 'person50@larkfield.example' }
  })
  t.equal(right.statusCode, 303)
})
