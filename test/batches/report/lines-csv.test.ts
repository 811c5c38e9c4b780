import t from 'tap'
import { startApp } from '../../support/app.ts'
import { upload } from '../../support/batches.ts'
import { readCsv } from '../../support/csv.ts'
import { introduceCast, knownList } from '../../support/lists.ts'
import { takesAll, transportThat } from '../../support/transports.ts'

const { db, browser, ids, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
await introduceCast(db, ids.ben)
await work(takesAll())

const header = 'line,text,address,verdict,reason,suggestion,first_line,delivery,server_reply,delivered_at'

async function download(path: string) {
  const answer = await ben.get(path)
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['content-type'], 'text/csv; charset=utf-8')
  const bytes = answer.rawPayload
  t.same([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], 'it begins with a byte order mark')
  const [first, ...rows] = readCsv(bytes.subarray(3).toString('utf8'))
  t.equal(first!.join(','), header)
  const names = header.split(',')
  t.ok(rows.every(row => row.length === names.length))
  return {
    disposition: answer.headers['content-disposition'],
    rows: rows.map(row => Object.fromEntries(row.map((cell, index) => [names[index]!, cell])))
  }
}

t.test('the CSV has every line of a long batch, or those with one verdict', async t => {
  const { text, lines } = knownList(5_000)
  const id = await upload(ben, text, { action: 'check' })
  await work(takesAll())
  const { rows, disposition } = await download(`/batches/${id}/lines.csv`)
  t.equal(disposition, `attachment; filename="batch-${id}.csv"`)
  const plain = (cell: string) => cell.replace(/^'(?=[=+\-@])/, '')
  t.same(
    rows.map(row => [Number(row.line), plain(row.text!), plain(row.address!), row.verdict, row.first_line]),
    lines.map(line => [line.line, line.text, line.address ?? '', line.verdict, String(line.firstLine ?? '')])
  )
  let sum = 0
  for (const verdict of new Set(lines.map(line => line.verdict))) {
    const part = await download(`/batches/${id}/lines.csv?verdict=${verdict}`)
    t.same(
      part.rows,
      rows.filter(row => row.verdict === verdict),
      verdict
    )
    t.equal(part.disposition, `attachment; filename="batch-${id}-${verdict}.csv"`)
    sum += part.rows.length
  }
  t.equal(sum, lines.length)
})

t.test('each line has its reason, correction, first line, email state and the server’s words', async t => {
  const lines = [
    'ok@larkfield.example',
    'gone@larkfield.example',
    'x@larkfeild.example',
    'nobody',
    'OK@larkfield.example',
    '"q"@larkfield.example'
  ]
  const id = await upload(ben, lines)
  const say = '550 5.1.1 "gone", they said,\r\nand meant it'
  await work(
    transportThat(({ to }) =>
      to.startsWith('gone') ? { is: 'recipient-failed', reply: say, suppress: false } : undefined
    )
  )
  const { rows } = await download(`/batches/${id}/lines.csv`)
  const [delivered] = await db.$client`select settled_at from deliveries where address = 'ok@larkfield.example'`
  const blank = Object.fromEntries(header.split(',').map(name => [name, '']))
  t.same(rows, [
    {
      ...{ ...blank, line: '1', text: lines[0], address: lines[0], verdict: 'invite', delivery: 'sent' },
      ...{ server_reply: '250 2.0.0 ok', delivered_at: new Date(delivered!.settledAt).toISOString() }
    },
    {
      ...blank,
      line: '2',
      text: lines[1],
      address: lines[1],
      verdict: 'invite',
      delivery: 'failed',
      server_reply: say
    },
    {
      ...{
        ...blank,
        line: '3',
        text: lines[2],
        address: lines[2],
        verdict: 'foreign',
        suggestion: 'x@larkfield.example'
      },
      reason: 'larkfeild.example is not one of your domains. Did you mean larkfield.example?'
    },
    { ...blank, line: '4', text: 'nobody', verdict: 'malformed', reason: 'There is no @ sign' },
    { ...blank, line: '5', text: lines[4], address: lines[4], verdict: 'duplicate', first_line: '1' },
    {
      ...{ ...blank, line: '6', text: lines[5], verdict: 'malformed', suggestion: 'q@larkfield.example' },
      reason: 'There are quotation marks'
    }
  ])
})

t.test('S10: no cell of any column begins a formula, and every text can be read back unchanged', async t => {
  const formulas = [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://evil.example","x")',
    '","=1+1',
    '";=1+1',
    '=1\t+1'
  ]
  const addresses = ['=1+1', '+1', '-1', "='x'!a0", '+kim'].map(local => `${local}@larkfield.example`)
  const quoted = ['=2+2', '-2', '+2'].map(local => `"${local}"@larkfield.example`)
  const lines = [...formulas, ...addresses, ...quoted]
  const id = await upload(ben, lines)
  const replies = ['=1+1', '+1', '-1', '@x', '\t=1', '\r=1', 'ok,=1', '"=1']
  let sent = 0
  await work(transportThat(() => ({ is: 'sent', reply: replies[sent++ % replies.length]! })))
  const { rows } = await download(`/batches/${id}/lines.csv`)
  const cells = rows.flatMap(row => Object.values(row))
  t.same(
    cells.filter(cell => /^[=+\-@\t\r\0]/.test(cell)),
    []
  )
  const whole = (cell: string) => cell.replace(/^'(?=[\t\r])/, '').replace(/(^|[,;\t\r]"?)'(?=[=+\-@])/g, '$1')
  t.same(
    rows.map(row => whole(row.text!)),
    lines
  )
  t.same(
    rows.filter(row => row.verdict === 'invite').map(row => whole(row.address!)),
    addresses
  )
  t.same(
    rows.slice(-3).map(row => row.suggestion),
    ["'=2+2@larkfield.example", "'-2@larkfield.example", "'+2@larkfield.example"]
  )
  const stored = await db.$client`select server_reply as reply from deliveries where batch_id = ${id} order by id`
  const shown = rows.filter(row => row.delivery === 'sent').map(row => whole(row.server_reply!))
  t.same(shown.toSorted(), [...stored].map(row => row.reply).toSorted())
})

t.test('auditors can read it, others cannot; an unknown batch is 404, an unknown verdict is ignored', async t => {
  const id = await upload(ben, 'kim@larkfield.example\nnobody', { action: 'check' })
  await work(takesAll())
  const path = `/batches/${id}/lines.csv`
  t.equal((await (await browser('cleo')).get(path)).statusCode, 200)
  t.equal((await (await browser('dan')).get(path)).statusCode, 403)
  t.equal((await (await browser()).get(path)).statusCode, 303)
  t.equal((await ben.get('/batches/99999/lines.csv')).statusCode, 404)
  t.equal((await ben.get('/batches/x/lines.csv')).statusCode, 404)
  t.equal((await download(`${path}?verdict=nonsense`)).rows.length, 2)
  t.equal((await ben.get(`${path}?verdict=invite&verdict=foreign`)).statusCode, 400)
})

t.test('a batch without lines is a table without rows', async t => {
  const id = await upload(ben, 'kim@larkfield.example')
  t.same((await download(`/batches/${id}/lines.csv`)).rows, [])
})
