import { isUtf8 } from 'node:buffer'
import { number } from '../words.ts'
import { trimStart } from './blanks.ts'
import { type FileRefusal, kindByBytes, kindByText, refusals } from './file-kinds.ts'

export type { FileRefusal } from './file-kinds.ts'

export class FileRefused extends Error {
  readonly refusal: FileRefusal
  /** Position in the file or in the last decoded text, from 1; 0 when unknown. */
  readonly line: number

  constructor(refusal: FileRefusal, line = 0) {
    super(refusalInWords(refusal, line))
    this.refusal = refusal
    this.line = line
  }
}

export function refusalInWords(refusal: FileRefusal, line = 0): string {
  const words = refusals[refusal]
  return line > 0 ? words.replace(/^This/, `Line ${number(line)}`) : words.replace(/^This is not/, 'The file is not')
}

export const headBytes = 1024

export interface TextDecoding {
  /** The complete characters so far. @throws FileRefused */
  decode(bytes: Buffer): string
  end(): void
}

/** Decodes UTF-8, or UTF-16 by its byte order mark or NULs. @throws FileRefused when `head` is no text. */
export function decoderFor(head: Buffer): TextDecoding {
  const kind = kindByBytes(head)
  if (kind) throw new FileRefused(kind)
  if (head[0] === 0xff && head[1] === 0xfe) return utf16(false)
  if (head[0] === 0xfe && head[1] === 0xff) return utf16(true)
  const { even, odd } = countNuls(head)
  if (odd > head.length / 8 && even < head.length / 16) return utf16(false)
  if (even > head.length / 8 && odd < head.length / 16) return utf16(true)
  return utf8()
}

/** @throws FileRefused when the text is RTF, HTML, JSON or another kind that is not a list. */
export function refuseByText(beginning: string): void {
  const kind = kindByText(trimStart(beginning.slice(0, headBytes)))
  if (kind) throw new FileRefused(kind)
}

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

/** Buffer's own UTF-8 is several times as fast as a streaming TextDecoder. */
function utf8(): TextDecoding {
  let rest: Buffer = Buffer.alloc(0)
  return {
    decode(bytes) {
      const whole = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes
      const end = endOfLastCharacter(whole)
      rest = Buffer.from(whole.subarray(end))
      const ready = whole.subarray(0, end)
      if (!isUtf8(ready)) throw notUtf8(ready)
      return withoutNul(ready.toString('utf8'))
    },
    end() {
      if (rest.length > 0) throw new FileRefused('not-utf-8', 1)
    }
  }
}

function notUtf8(bytes: Buffer): FileRefused {
  return bytes.includes(0) ? new FileRefused('nul') : new FileRefused('not-utf-8', lineOfFault(bytes))
}

function lineOfFault(bytes: Buffer): number {
  let line = 1
  let start = 0
  for (const [at, byte] of bytes.entries()) {
    if (byte !== 10 && byte !== 13) continue
    if (!isUtf8(bytes.subarray(start, at))) return line
    if (byte === 10 || bytes[at + 1] !== 10) line += 1
    start = at
  }
  return line
}

function endOfLastCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes.readUInt8(bytes.length - back)
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

/** An odd byte or the first half of a surrogate pair waits for the rest. */
function endOfLastUnit(bytes: Buffer, isBigEndian: boolean): number {
  const end = bytes.length - (bytes.length % 2)
  const high = bytes[isBigEndian ? end - 2 : end - 1] ?? 0
  return high >= 0xd8 && high <= 0xdb ? end - 2 : end
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new FileRefused('nul')
  return text
}
