import t from 'tap'
import { startApp } from '../../support/app.ts'
import { batchOf, linesOf, upload } from '../../support/batches.ts'
import { introduceCast, knownList } from '../../support/lists.ts'

const { db, browser, ids, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
await introduceCast(db, ids.ben)

const utf8 = (text: string) => Buffer.from(text)
const littleEndian = (text: string) => Buffer.from(text, 'utf16le')
const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16()
const encodings: Record<string, (text: string) => Buffer> = {
  'UTF-8': utf8,
  'UTF-8 with a mark': text => utf8(`\ufeff${text}`),
  'UTF-16 LE by its pattern': littleEndian,
  'UTF-16 LE with a mark': text => littleEndian(`\ufeff${text}`),
  'UTF-16 BE by its pattern': bigEndian,
  'UTF-16 BE with a mark': text => bigEndian(`\ufeff${text}`)
}
const ends = { LF: ['\n'], CRLF: ['\r\n'], CR: ['\r'], 'every end': ['\n', '\r\n', '\r'] }

for (const [encoding, encode] of Object.entries(encodings)) {
  for (const [name, marks] of Object.entries(ends)) {
    t.test(`S39: every line of a list in ${encoding} with ${name} has the expected verdict`, async t => {
      const { text, lines } = knownList(1_500, { ends: marks, seed: encoding.length * 31 + name.length })
      const id = await upload(ben, encode(text), { action: 'check' })
      await work()
      const wanted = lines.map(({ address: _, ...line }) => line)
      t.same(
        (await linesOf(db, id)).map(({ line, text, verdict, firstLine }) => ({ line, text, verdict, firstLine })),
        wanted
      )
    })
  }
}

/** The outcome of a list's lines: number, text and verdict of each. */
async function judged(content: string | Buffer) {
  const id = await upload(ben, content, { action: 'check' })
  await work()
  const rows = await linesOf(db, id)
  t.equal((await batchOf(db, id)).lines, rows.length)
  return rows.map(({ line, text, verdict }) => [line, text, verdict])
}

t.test('the last line counts with or without a line end', async t => {
  for (const end of ['', '\n', '\r', '\r\n', '\n\n\n']) {
    t.same(await judged(`\nkim@larkfield.example${end}`), [[2, 'kim@larkfield.example', 'invite']])
  }
})

t.test('blank lines count in line numbers and in no total', async t => {
  t.same(await judged('\r\n \t\n\u200b\ra@larkfield.example\r\r\r\n\ufeff\nb@larkfield.example\n\n'), [
    [4, 'a@larkfield.example', 'invite'],
    [8, 'b@larkfield.example', 'invite']
  ])
})

t.test('vertical tab, form feed, next line and Unicode separators do not end a line', async t => {
  for (const sign of ['\v', '\f', '\u0085', '\u2028', '\u2029']) {
    const line = `a@larkfield.example${sign}b@larkfield.example`
    t.same(await judged(`${sign}c@larkfield.example${sign}\n${line}`), [
      [1, 'c@larkfield.example', 'invite'],
      [2, line, 'malformed']
    ])
  }
})

t.test('spaces and invisible characters around an address are ignored', async t => {
  const around = ' \t\u00a0\u200b\u200e\u202a\u2060\u3000\ufeff\u00ad'
  t.same(await judged(`${around}kim@larkfield.example${around}`), [[1, 'kim@larkfield.example', 'invite']])
})

t.test('a line over 1,024 characters is one problem line, cut to the first 1,024', async t => {
  const long = `kim@larkfield.example,${'x'.repeat(1_200)}`
  const just = 'y'.repeat(1_024)
  const pair = `${'z'.repeat(1_023)}😀😀`
  t.same(
    await judged([long, just, `${just}y`, `${just}${' '.repeat(9_000)}`, pair, 'kim@larkfield.example'].join('\n')),
    [
      [1, long.slice(0, 1_024), 'malformed'],
      [2, just, 'malformed'],
      [3, just, 'malformed'],
      [4, just, 'malformed'],
      [5, pair.slice(0, 1_023), 'malformed'],
      [6, 'kim@larkfield.example', 'invite']
    ]
  )
  const page = await ben.get(`/batches/${(await newest()).id}`)
  t.match(page.body, 'The address is too long')
})

t.test('characters that reverse text are shown escaped, and make the address invalid', async t => {
  const line = 'kim\u202egpj.exe@larkfield.example'
  t.same(await judged(`${line}\n`), [[1, line, 'malformed']])
  const { body } = await ben.get(`/batches/${(await newest()).id}`)
  t.notMatch(body, /[\u202a-\u202e\u2066-\u2069]/, 'the page stays in its own order')
  t.match(body.replaceAll('<wbr>', ''), 'kim⟨U+202E⟩gpj.exe@larkfield.example')
  t.match(body, 'The address contains a hidden character')
})

const newest = async () => (await db.$client`select id from batches order by id desc limit 1`)[0] as { id: number }
