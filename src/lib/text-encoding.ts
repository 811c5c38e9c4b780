/** What the bytes of an uploaded file are: text in one of three encodings, or something to refuse. */
import { isUtf8 } from 'node:buffer'

export type FileRefusal = 'name' | 'empty' | 'gzip' | 'zip' | 'ole' | 'pdf' | 'nul' | 'not-utf-8' | 'not-utf-16'

/** The whole file is refused, wherever the fault stands. */
export class FileRefused extends Error {
  readonly refusal: FileRefusal

  constructor(refusal: FileRefusal) {
    super(refusalInWords(refusal))
    this.refusal = refusal
  }
}

const asText = 'Save the list as plain text (.txt), one address per line, and upload that.'
const words: Record<FileRefusal, string> = {
  name: `The file’s name does not end in .txt. ${asText}`,
  empty: 'The file is empty. Put one address on each line and upload it again.',
  gzip: 'This is a gzip archive. Unpack it and upload the .txt file that is in it.',
  zip: `This is a zip archive, or an Excel or Word file, which is one inside. ${asText}`,
  ole: `This is an older Excel, Word or Outlook file. ${asText}`,
  pdf: `This is a PDF. ${asText}`,
  nul: `The file holds NUL characters, so it is not plain text. ${asText}`,
  'not-utf-8': 'The file is not valid UTF-8. Open it in an editor, save it with the encoding UTF-8, and upload that.',
  'not-utf-16': 'The file is damaged: it is not valid UTF-16. Save it again with the encoding UTF-8, and upload that.'
}

/** What the file is and what to do about it, in two sentences. */
export function refusalInWords(refusal: FileRefusal): string {
  return words[refusal]
}

/** How many bytes of the file's beginning `decoderFor` wants to see. */
export const headBytes = 1024

export interface TextDecoding {
  /** The characters that are whole so far. @throws FileRefused */
  decode(bytes: Buffer): string
  /** @throws FileRefused when the file ends within a character. */
  end(): void
}

/**
 * A decoder for the file that begins with `head`: UTF-8, or UTF-16 by its byte order mark or by the NULs between its
 * ASCII letters.
 *
 * @throws FileRefused when the first bytes are those of a gzip, zip, OLE or PDF file.
 */
export function decoderFor(head: Buffer): TextDecoding {
  for (const [refusal, ...starts] of signatures) {
    if (starts.some(start => head.subarray(0, start.length).equals(start))) throw new FileRefused(refusal)
  }
  if (head[0] === 0xff && head[1] === 0xfe) return utf16(false)
  if (head[0] === 0xfe && head[1] === 0xff) return utf16(true)
  const { even, odd } = countNuls(head)
  if (odd > head.length / 8 && even < head.length / 16) return utf16(false)
  if (even > head.length / 8 && odd < head.length / 16) return utf16(true)
  return utf8()
}

const signatures: readonly [FileRefusal, ...Buffer[]][] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zip', Buffer.from('PK\x03\x04'), Buffer.from('PK\x05\x06'), Buffer.from('PK\x07\x08')],
  ['ole', Buffer.from([0xd0, 0xcf, 0x11, 0xe0])],
  ['pdf', Buffer.from('%PDF-')]
]

function countNuls(head: Buffer) {
  let even = 0
  let odd = 0
  for (const [index, byte] of head.entries()) {
    if (byte !== 0) continue
    if (index % 2 === 0) even += 1
    else odd += 1
  }
  return { even, odd }
}

/** Buffer's own UTF-8 runs several times as fast as a streaming TextDecoder; only the cut at the end is left to us. */
function utf8(): TextDecoding {
  let rest: Buffer = Buffer.alloc(0)
  return {
    decode(bytes) {
      const whole = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes
      const end = endOfLastCharacter(whole)
      rest = Buffer.from(whole.subarray(end))
      const ready = whole.subarray(0, end)
      if (!isUtf8(ready)) throw new FileRefused('not-utf-8')
      return withoutNul(ready.toString('utf8'))
    },
    end() {
      if (rest.length > 0) throw new FileRefused('not-utf-8')
    }
  }
}

/** Where a character begins that is not complete, else the length. */
function endOfLastCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) return lengthFrom(byte) > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

const lengthFrom = (lead: number) => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2)

function utf16(isBigEndian: boolean): TextDecoding {
  let rest: Buffer = Buffer.alloc(0)
  return {
    decode(bytes) {
      const whole = Buffer.concat([rest, bytes])
      const end = endOfLastUnit(whole, isBigEndian)
      rest = Buffer.from(whole.subarray(end))
      const ready = whole.subarray(0, end)
      const text = (isBigEndian ? ready.swap16() : ready).toString('utf16le')
      if (!text.isWellFormed()) throw new FileRefused('not-utf-16')
      return withoutNul(text)
    },
    end() {
      if (rest.length > 0) throw new FileRefused('not-utf-16')
    }
  }
}

/** Where an odd byte or the first half of a surrogate pair waits for what follows. */
function endOfLastUnit(bytes: Buffer, isBigEndian: boolean): number {
  const end = bytes.length - (bytes.length % 2)
  const high = bytes[isBigEndian ? end - 2 : end - 1] ?? 0
  return high >= 0xd8 && high <= 0xdb ? end - 2 : end
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new FileRefused('nul')
  return text
}
