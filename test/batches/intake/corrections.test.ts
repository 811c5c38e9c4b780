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

async function checked(lines = problems) {
  const id = await upload(ben, lines, { action: 'check' })
  await work(takesAll())
  return id
}

const newest = async () => Number((await db.$client`select max(id)::int as id from batches`)[0]!.id)

t.test('ticked lines are invited as they were edited, in a batch of their own that names the old one', async t => {
  const id = await checked()
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
    await db.$client`select source, corrects_batch_id::int as corrects, created_by::int as by from batches where id = ${corrected}`
  t.same(row, { source: 'correction', corrects: id, by: ids.ben })
  t.match((await ben.get(`/batches/${corrected}`)).body, `corrects <a href="/batches/${id}">an earlier batch</a>`)
  const old = (await ben.get(`/batches/${id}`)).body
  t.match(old, `2 corrected lines were sent as <a href="/batches/${corrected}">a batch of their own</a>`)
  t.same(await eventsSince(db, before), ['invitations-sent'])
  t.match(
    await countsOf(db, id),
    { state: 'checked', lines: { malformed: 2, foreign: 2, invite: 1 } },
    'the report stays'
  )
})

t.test(
  'a line that is still wrong: 422, nothing is sent, everything typed stays, and the summary has the focus',
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

t.test('what was meant stands in the field already, where it is plain', async t => {
  const id = await checked()
  const { body } = await ben.get(`/batches/${id}`)
  const values = [1, 2, 3, 4].map(line => new RegExp(`id="address-${line}"[^>]* value="([^"]*)"`).exec(body)![1])
  t.same(values, ['kim@larkfield.example', 'lee@larkfield.example', 'nobody at all', 'ann@elsewhere.example'])
  t.notMatch(body, 'id="address-5"')
  t.notMatch(body, /type="checkbox"[^>]* checked/, 'nothing is ticked beforehand')
})

t.test('a corrected line goes through the same verdicts as every other', async t => {
  const id = await checked()
  const answer = await ben.post(`/batches/${id}/corrections`, {
    line: ['1', '2', '3', '4'],
    'address-1': 'dan@larkfield.example',
    'address-2': 'twice@larkfield.example',
    'address-3': 'Twice@larkfield.example',
    'address-4': 'kim@larkfield.example'
  })
  t.equal(answer.statusCode, 303)
  t.same(
    (await linesOf(db, await newest())).map(({ line, verdict, first_line }) => [line, verdict, first_line]),
    [
      [1, 'active', null],
      [2, 'invite', null],
      [3, 'duplicate', 2],
      [4, 'pending', null]
    ]
  )
})

t.test('nothing ticked, lines that need no correction, lines that are not there: 422, and nothing changes', async t => {
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

t.test('what the form does not have: 400; another batch’s page: 404; other roles: 403', async t => {
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

t.test('the lines of the second page of problems are corrected from there', async t => {
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
