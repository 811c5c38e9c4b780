import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { type Line, readLines } from '../../../src/lib/text/text-lines.ts'

async function linesOf(...chunks: (Buffer | string)[]): Promise<Line[]> {
  const lines: Line[] = []
  for await (const some of readLines(stream(chunks))) lines.push(...some)
  return lines
}

async function* stream(chunks: Iterable<Buffer | string>): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

const textsOf = async (...chunks: (Buffer | string)[]) => (await linesOf(...chunks)).map(line => line.text)
const numbered = async (text: string) => (await linesOf(text)).map(line => `${line.number} ${line.text}`)

/** The lines of a whole text by the definition, without regard to speed. */
function expectedLines(text: string): Line[] {
  return text.split(/\r\n|\r|\n/).flatMap((line, index) => {
    const trimmed = line.replace(/^[\s\u200b]+|[\s\u200b]+$/g, '')
    if (trimmed === '') return []
    const tooLong = trimmed.length > 1024
    const kept = tooLong ? trimmed.slice(0, 1024).replace(/[\ud800-\udbff]$/, '') : trimmed
    return [{ number: index + 1, text: kept, tooLong }]
  })
}

const part = fc.constantFrom(
  'a@b',
  'ü',
  '用',
  '😀',
  ' ',
  '\n',
  '\r',
  '\r\n',
  '\u200b',
  '\u2028',
  '\v',
  'x'.repeat(1020),
  ' '.repeat(600)
)
const someText = fc.array(part, { minLength: 1, maxLength: 30 }).map(parts => `a${parts.join('')}`)
const encodings: Record<string, (text: string) => Buffer> = {
  'UTF-8': text => Buffer.from(text),
  'UTF-8 with a byte order mark': text => Buffer.from(`\ufeff${text}`),
  'UTF-16 LE': text => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16 BE': text => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()
}

for (const [name, encode] of Object.entries(encodings)) {
  t.test(`${name} gives the same lines, however its bytes are cut`, async t => {
    const property = fc.asyncProperty(
      someText,
      fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 8 }),
      async (text, cuts) => {
        const bytes = encode(text)
        const edges = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
        deepStrictEqual(await linesOf(...chunks), expectedLines(text))
      }
    )
    await t.resolves(fc.assert(property, { numRuns: 100 }))
  })

  t.test(`${name} can arrive byte by byte`, async t => {
    const text = 'ü@b\r\n\r\n😀@b\rc@d\n \nlast@用'
    t.strictSame(await linesOf(...[...encode(text)].map(byte => Buffer.from([byte]))), expectedLines(text))
  })
}

t.test('UTF-16 is recognized without a byte order mark', async t => {
  const text = 'ada@larkfield.example\r\njürgen@larkfield.example\r\n用户@larkfield.example'
  const bytes = Buffer.from(text, 'utf16le')
  t.strictSame(await textsOf(bytes), text.split('\r\n'))
  t.strictSame(await textsOf(Buffer.from(bytes).swap16()), text.split('\r\n'))
  t.strictSame(await textsOf(Buffer.from('a@b', 'utf16le')), ['a@b'])
})

t.test('blank lines count in line numbers and give no line', async t => {
  t.strictSame(await numbered('\n\r\n a@b \r\r\n\u200b\t\nc@d'), ['3 a@b', '6 c@d'])
  t.strictSame(await numbered('a@b\n'), ['1 a@b'])
})

t.test('VT, FF, NEL, LS and PS do not end a line', async t => {
  const text = 'a\vb\fc\u0085d\u2028e\u2029f'
  t.strictSame(await textsOf(text), [text])
})

t.test('a long line is cut to its first 1,024 characters', async t => {
  const text = 'x'.repeat(1024)
  t.strictSame(await linesOf(`${text}\n${text}y\n${text}  \nz`), [
    { number: 1, text, tooLong: false },
    { number: 2, text, tooLong: true },
    { number: 3, text, tooLong: false },
    { number: 4, text: 'z', tooLong: false }
  ])
  t.strictSame(await linesOf(`${'x'.repeat(1023)}😀`), [{ number: 1, text: 'x'.repeat(1023), tooLong: true }])
  t.match(await linesOf(`a@b${' '.repeat(5000)}c`), [{ tooLong: true }])
})

t.test('S28: a line of 200 MB passes in constant memory', async t => {
  const chunk = Buffer.alloc(1 << 16, 'x')
  const before = process.memoryUsage().rss
  const lines = await linesOfStream(3200, chunk)
  t.strictSame(lines, [{ number: 1, text: 'x'.repeat(1024), tooLong: true }])
  t.strictSame(await linesOfStream(800, Buffer.alloc(1 << 16, ' '), 'a@b'), [
    { number: 1, text: 'a@b', tooLong: false }
  ])
  t.ok(process.memoryUsage().rss - before < 100_000_000, 'it keeps no more of it than it needs')
})

async function linesOfStream(times: number, chunk: Buffer, end = ''): Promise<Line[]> {
  async function* source() {
    for (let count = 0; count < times; count += 1) yield chunk
    yield Buffer.from(end)
  }
  const lines: Line[] = []
  for await (const some of readLines(source())) lines.push(...some)
  return lines
}

t.test('every line of a large file arrives, in order', async t => {
  const ends = ['\n', '\r\n', '\r']
  const all = Array.from({ length: 100_000 }, (_, index) => `ada${index}@larkfield.example`)
  const bytes = Buffer.from(all.map((line, index) => line + ends[index % 3]).join(''))
  const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, at) =>
    bytes.subarray(at * 65_536, (at + 1) * 65_536)
  )
  t.strictSame(await textsOf(...chunks), all)
})
