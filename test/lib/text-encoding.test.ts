import { deflateRawSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { type FileRefusal, FileRefused, refusalInWords } from '../../src/lib/text-encoding.ts'
import { readLines } from '../../src/lib/text-lines.ts'

async function refusalOf(bytes: Buffer, size = 65_536): Promise<string> {
  async function* source() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  try {
    for await (const lines of readLines(source())) if (lines.length === 0) return 'no lines given'
    return 'accepted'
  } catch (error) {
    if (error instanceof FileRefused && error.message === refusalInWords(error.refusal)) return error.refusal
    throw error
  }
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
  ['nul', 'UTF-32', Buffer.from('fffe000061000000', 'hex')],
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
  ['accepted', 'a line that only begins like an archive', Buffer.from('PK@larkfield.example')]
]

for (const [expected, what, bytes] of files) {
  t.test(`S39: ${what}: ${expected}`, async t => {
    t.equal(await refusalOf(bytes), expected)
    t.equal(await refusalOf(bytes, 4093), expected)
    if (bytes.length < 5000) t.equal(await refusalOf(bytes, 1), expected)
  })
}

t.test('every refusal says what the file is and what to do', async t => {
  for (const [refusal] of files) if (refusal !== 'accepted') t.match(refusalInWords(refusal), /\. .+\.$/)
  t.match(refusalInWords('name'), /does not end in \.txt\. Save/)
})
