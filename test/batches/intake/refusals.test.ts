import t from 'tap'
import { startApp } from '../../support/app.ts'
import { type FilePart, multipart } from '../../support/multipart.ts'
import { everyRow } from '../../support/rows.ts'

const { db, browser, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

const good = 'kim@larkfield.example\n'.repeat(20_000)
const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map(part => Buffer.from(part as string)))
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')

/** The file's name, its content, and the reason that the page gives. */
const refused: Record<string, [content: string | Buffer, says: RegExp, name?: string]> = {
  'another ending': [good, /name does not end in \.txt/, 'people.csv'],
  'no ending': [good, /name does not end in \.txt/, 'people'],
  'an ending before the last': [good, /name does not end in \.txt/, 'people.txt.exe'],
  'nothing in it': ['', /file is empty/],
  'only a byte order mark': [bytes([0xef, 0xbb, 0xbf]), /file is empty/],
  'only blanks': [' \t\r\n\r\n\u00a0\u200b\n\f\n', /file is empty/],
  'megabytes of blanks': [' \n'.repeat(1_000_000), /file is empty/],
  gzip: [bytes([0x1f, 0x8b, 8, 0], good), /gzip archive/],
  zip: [bytes('PK\x03\x04', good), /looks like an Excel, Word/],
  'an empty zip': [bytes('PK\x05\x06', '\0'.repeat(18)), /looks like an Excel, Word/],
  'an old Excel file': [
    bytes([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], good),
    /older Excel, Word or Outlook file/
  ],
  pdf: [bytes('%PDF-1.7\n', good), /PDF/],
  'NUL in the first line': [bytes('kim@larkfield.example\0\n', good), /NUL characters/],
  'NUL in the last byte': [bytes(good, [0]), /NUL characters/],
  'NUL in UTF-16': [utf16('kim@larkfield.example\n\0'), /NUL characters/],
  'latin1 in the first line': [bytes([0xfc], '@larkfield.example\n', good), /not valid UTF-8.*UTF-8/],
  'latin1 in the last byte': [bytes(good, [0xfc]), /not valid UTF-8/],
  'a stray continuation in the last byte': [bytes(good, [0x80]), /not valid UTF-8/],
  'a character cut at the end': [bytes(good, [0xf0, 0x9f, 0x98]), /not valid UTF-8/],
  'a surrogate in UTF-8': [bytes(good, [0xed, 0xa0, 0x80]), /not valid UTF-8/],
  'an odd byte after UTF-16': [Buffer.concat([utf16(good), Buffer.from([0x41])]), /not valid UTF-16/],
  'half a pair at the end of UTF-16': [Buffer.concat([utf16(good), Buffer.from([0x3d, 0xd8])]), /not valid UTF-16/],
  'half a pair within UTF-16': [Buffer.concat([utf16('a'), Buffer.from([0x3d, 0xd8, 0x0a, 0])]), /not valid UTF-16/]
}

for (const [what, [content, says, name = 'people.txt']] of Object.entries(refused)) {
  t.test(`S39: a file is refused as a whole with the reason, and nothing of it is kept: ${what}`, async t => {
    const before = await everyRow(db)
    for (const isFileFirst of [false, true]) {
      const file: FilePart = { name, content }
      const answer = await ben.upload('/bulk', multipart({ action: 'send' }, file, { isFileFirst }))
      t.equal(answer.statusCode, 422)
      const [summary] = /<div class="callout bad" role="alert"[^>]*autofocus>.*?<\/div>/s.exec(answer.body) ?? []
      t.match(summary, says)
      t.match(answer.body, /<input[^>]*id="file"[^>]*aria-invalid="true"/, 'on the form')
    }
    t.same(await everyRow(db), before)
  })
}

t.test('the file extension counts in any case, and the declared type does not', async t => {
  for (const file of [
    { name: 'PEOPLE.TXT', content: good },
    { name: 'people.Txt', content: good, type: 'application/zip' },
    { name: 'C:\\lists\\people.txt', content: good, type: 'application/octet-stream' }
  ]) {
    const answer = await ben.upload('/bulk', multipart({ action: 'check' }, file))
    t.equal(answer.statusCode, 303)
  }
})
