import { deflateRawSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { type FileRefusal, FileRefused, refusalInWords } from '../../../src/lib/text/text-encoding.ts'
import { readLines } from '../../../src/lib/text/text-lines.ts'

async function refusalOf(bytes: Buffer, size = 65_536): Promise<string> {
  async function* source() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  try {
    for await (const lines of readLines(source())) if (lines.length === 0) return 'no lines given'
    return 'accepted'
  } catch (error) {
    if (error instanceof FileRefused && error.message === refusalInWords(error.refusal, error.line))
      return error.refusal
    throw error
  }
}

async function drain(lines: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of lines);
}

const list = 'ada@larkfield.example\n'.repeat(10_000)
const zip = Buffer.concat([Buffer.from('PK\x03\x04\x14\x00\x00\x00\x08\x00'), deflateRawSync(list)])
const utf16 = Buffer.from(`\ufeff${list}`, 'utf16le')
const half = Buffer.from('\ud83d', 'utf16le')

const files: [FileRefusal | 'accepted', string, Buffer][] = [
  ['empty', 'nothing at all', Buffer.alloc(0)],
  ['empty', 'only blanks', Buffer.from(' \r\n\t\u200b\n'.repeat(1000))],
  ['empty', 'only a byte order mark', Buffer.from('\ufeff', 'utf16le')],
  ['gzip', 'a gzip archive', gzipSync(list)],
  ['zip', 'a zip archive, xlsx or docx', zip],
  ['zip', 'an empty zip archive', Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`)],
  ['ole', 'an xls or doc file', Buffer.from('d0cf11e0a1b11ae10000', 'hex')],
  ['pdf', 'a PDF', Buffer.from('%PDF-1.7\n%\u00e2\u00e3', 'latin1')],
  ['nul', 'a NUL in the middle', Buffer.from(`${list}\0${list}`)],
  ['nul', 'a NUL as the first byte', Buffer.from(`\0${list}`)],
  ['nul', 'a NUL as the last byte', Buffer.from(`${list}\0`)],
  ['nul', 'a NUL character in UTF-16', Buffer.concat([utf16, Buffer.alloc(2)])],
  ['utf-32', 'UTF-32', Buffer.from('fffe000061000000', 'hex')],
  ['utf-32', 'UTF-32 with its large end first', Buffer.from('0000feff00000061', 'hex')],
  [
    'utf-32',
    'UTF-32 without a byte order mark',
    Buffer.from([...'kim'].flatMap(sign => [sign.charCodeAt(0), 0, 0, 0]))
  ],
  ['nul', 'bytes of no encoding', Buffer.from(`${list}\xff\0`, 'latin1')],
  ['xz', 'xz', Buffer.from('\xfd7zXZ\0\0\x04', 'latin1')],
  ['bzip2', 'bzip2', Buffer.from('BZh91AY&SY\x01', 'latin1')],
  ['zstd', 'Zstandard', Buffer.from('\x28\xb5\x2f\xfd\x04', 'latin1')],
  ['lz4', 'LZ4', Buffer.from('\x04\x22\x4d\x18\x64', 'latin1')],
  ['7z', '7-Zip', Buffer.from('7z\xbc\xaf\x27\x1c\0', 'latin1')],
  ['rar', 'RAR', Buffer.from('Rar!\x1a\x07\x01\0', 'latin1')],
  ['tar', 'tar', Buffer.from(`people.txt${'\0'.repeat(247)}ustar\x0000`, 'latin1')],
  ['sqlite', 'SQLite', Buffer.from('SQLite format 3\0\x10', 'latin1')],
  ['access', 'Access', Buffer.from('\0\x01\0\0Standard ACE DB', 'latin1')],
  ['pst', 'an Outlook data file', Buffer.from('!BDN\0', 'latin1')],
  ['picture', 'PNG', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
  ['picture', 'JPEG', Buffer.from('\xff\xd8\xff\xe0', 'latin1')],
  ['picture', 'HEIC', Buffer.from('\0\0\0\x18ftypheic', 'latin1')],
  ['picture', 'BMP', Buffer.from('BM\x36\x10\x0e\0\0\0\0\0', 'latin1')],
  ['media', 'a video', Buffer.from('\0\0\0\x18ftypisom', 'latin1')],
  ['program', 'a program', Buffer.from('MZ\x90\0\x03', 'latin1')],
  ['shortcut', 'a Windows shortcut', Buffer.from('L\0\0\0\x01\x14\x02\0', 'latin1')],
  ['shortcut', 'a link to a page', Buffer.from('[InternetShortcut]\r\nURL=https://larkfield.example')],
  ['mac-metadata', 'what a Mac notes about a file', Buffer.from('\0\x05\x16\x07\0\x02', 'latin1')],
  ['plist', 'a property list', Buffer.from('bplist00\xd1', 'latin1')],
  ['rtf', 'RTF', Buffer.from(`{\\rtf1\\ansi\n${list}}`)],
  ['html', 'HTML', Buffer.from(`<!DOCTYPE html>\n<title>List</title>${list}`)],
  ['html', 'HTML after blank lines', Buffer.from(`\ufeff\r\n\r\n  <HTML lang="en">${list}`)],
  ['html', 'HTML in UTF-16', Buffer.from(`\ufeff<table><tr><td>${list}`, 'utf16le')],
  ['xml', 'XML', Buffer.from('<?xml version="1.0"?><people/>')],
  ['xml', 'XML without a declaration', Buffer.from('<people>\n  <person email="ada@larkfield.example"/>\n</people>')],
  ['postscript', 'PostScript', Buffer.from('%!PS-Adobe-3.0\n')],
  ['json', 'a JSON list', Buffer.from('["ada@larkfield.example"]')],
  ['json', 'a JSON object', Buffer.from('{\n  "people": []\n}')],
  ['vcard', 'a vCard', Buffer.from('BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:ada@larkfield.example\r\n')],
  ['ldif', 'LDIF', Buffer.from('# extended LDIF\n#\n\nversion: 1\ndn: uid=ada,dc=larkfield,dc=example\nmail: a@b\n')],
  ['mail', 'a saved mail', Buffer.from('Received: from a\n\tby b\nSubject: List\n\nada@larkfield.example\n')],
  ['mail', 'a mailbox', Buffer.from('From ada@b Fri Nov 27\nDate: today\nSubject: List\n\nada@larkfield.example\n')],
  ['key', 'a certificate', Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB\n')],
  ['not-utf-8', 'Latin-1', Buffer.from('jürgen@larkfield.example\n', 'latin1')],
  ['not-utf-8', 'a wrong last byte', Buffer.concat([Buffer.from(list), Buffer.from([0xff])])],
  ['not-utf-8', 'an end within a character', Buffer.concat([Buffer.from(list), Buffer.from('😀').subarray(0, 3)])],
  ['not-utf-8', 'a surrogate in UTF-8', Buffer.concat([Buffer.from(list), Buffer.from([0xed, 0xa0, 0x80])])],
  ['not-utf-8', 'an overlong form', Buffer.concat([Buffer.from(list), Buffer.from([0xc0, 0xaf])])],
  ['not-utf-8', 'a continuation without a start', Buffer.concat([Buffer.from(list), Buffer.from([0x80, 0x80, 0x80])])],
  ['not-utf-16', 'an odd last byte', Buffer.concat([utf16, Buffer.from('a')])],
  ['not-utf-16', 'half a pair at the end', Buffer.concat([utf16, half])],
  ['not-utf-16', 'half a pair in the middle', Buffer.concat([utf16, half, utf16])],
  ['accepted', 'UTF-8', Buffer.from(list)],
  ['accepted', 'UTF-8 without a last line end', Buffer.from('ada@larkfield.example')],
  ['accepted', 'UTF-16', utf16],
  ['accepted', 'a lone CR between lines', Buffer.from('ada@larkfield.example\rben@larkfield.example')],
  ['accepted', 'a direction override in a line', Buffer.from('ada\u202e@larkfield.example')],
  ['accepted', 'an address in angle brackets', Buffer.from('<ada@larkfield.example>\n<ben@larkfield.example>')],
  ['accepted', 'a link of Markdown', Buffer.from('[ada@larkfield.example](mailto:ada@larkfield.example)')],
  ['accepted', 'a number of brackets', Buffer.from('[1] ada@larkfield.example\n{ben@larkfield.example}')],
  [
    'accepted',
    'labels',
    Buffer.from('From: ada@larkfield.example\nTo: ben@larkfield.example\nmail: c@larkfield.example')
  ],
  ['accepted', 'a heading', Buffer.from('Subject: new people\nada@larkfield.example')],
  ['accepted', 'a comment', Buffer.from('# new people\nada@larkfield.example')],
  ['accepted', 'BM and MZ', Buffer.from('BM@larkfield.example\nMZ@larkfield.example')],
  ['accepted', 'Ctrl-Z at the end', Buffer.from('ada@larkfield.example\r\n\x1a')],
  ['empty', 'nothing but Ctrl-Z', Buffer.from('\x1a')],
  ['accepted', 'a line that only begins like an archive', Buffer.from('PK@larkfield.example')]
]

for (const [expected, what, bytes] of files) {
  t.test(`S39: ${what}: ${expected}`, async t => {
    t.equal(await refusalOf(bytes), expected)
    t.equal(await refusalOf(bytes, 4093), expected)
    if (bytes.length < 5000) t.equal(await refusalOf(bytes, 1), expected)
  })
}

t.test('an encoding error names its line, however the bytes are cut', async t => {
  const bytes = Buffer.from(
    'ada@larkfield.example\r\nben@larkfield.example\rAndr\xe9 <c@larkfield.example>\n',
    'latin1'
  )
  for (const size of [1, 7, 4093]) {
    async function* source() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const error = await drain(readLines(source())).catch(error => error)
    t.match(error, { refusal: 'not-utf-8', line: 3 })
  }
  t.match(refusalInWords('not-utf-8', 3), /^Line 3 is not valid UTF-8.*Save As with the encoding UTF-8/)
  t.match(refusalInWords('not-utf-8'), /^The file is not valid UTF-8/)
})

t.test('every refusal says what the file is and what to do', async t => {
  for (const [refusal] of files) if (refusal !== 'accepted') t.match(refusalInWords(refusal), /\. .+\.$/)
  t.match(refusalInWords('name'), /does not end in \.txt\. Save/)
})
