import { first } from '../ends.ts'
import { trimBlanks, trimStart } from './blanks.ts'
import { decoderFor, FileRefused, headBytes, refuseByText, type TextDecoding } from './text-encoding.ts'

export interface Line {
  number: number
  /** Trimmed; of a longer line the first 1,024 UTF-16 units. */
  text: string
  tooLong: boolean
}

const longest = 1024

/** The nonblank lines (LF, CRLF, CR) of a file, in constant memory. @throws FileRefused, even after the last line. */
export async function* readLines(source: AsyncIterable<Buffer>): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter()
  try {
    for await (const text of decode(source)) {
      splitter.push(text)
      if (splitter.lines.length > 0) yield splitter.take()
    }
  } catch (error) {
    if (!(error instanceof FileRefused) || error.line === 0) throw error
    throw new FileRefused(error.refusal, splitter.finished + error.line)
  }
  splitter.closeLine()
  if (splitter.lines.length > 0) yield splitter.take()
  else if (splitter.isEmpty) throw new FileRefused('empty')
}

async function* decode(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let head: Buffer = Buffer.alloc(0)
  let decoding: TextDecoding | undefined
  for await (const bytes of source) {
    if (decoding) {
      yield decoding.decode(bytes)
      continue
    }
    head = Buffer.concat([head, bytes])
    if (head.length < headBytes) continue
    decoding = decoderFor(head.subarray(0, headBytes))
    yield firstText(decoding, head)
  }
  if (!decoding) {
    decoding = decoderFor(head)
    yield firstText(decoding, head)
  }
  decoding.end()
}

function firstText(decoding: TextDecoding, head: Buffer): string {
  const text = decoding.decode(head)
  refuseByText(text)
  return text
}

class LineSplitter {
  lines: Line[] = []
  isEmpty = true
  private number = 0
  private endsInCr = false
  private open = ''
  private hasMore = false

  get finished(): number {
    return this.number
  }

  take(): Line[] {
    const lines = this.lines
    this.lines = []
    return lines
  }

  push(text: string): void {
    const pieces = this.withLfOnly(text).split('\n')
    const last = pieces.length - 1
    this.grow(first(pieces))
    if (last === 0) return
    this.closeLine()
    for (let index = 1; index < last; index += 1) this.add(trimBlanks(pieces[index]!))
    this.grow(pieces[last]!)
  }

  closeLine(): void {
    this.add(this.hasMore ? this.open : trimBlanks(this.open))
    this.open = ''
    this.hasMore = false
  }

  private add(text: string): void {
    this.number += 1
    if (text === '') return
    const tooLong = text.length > longest
    this.lines.push({ number: this.number, text: tooLong ? cut(text) : text, tooLong })
    this.isEmpty = false
  }

  private grow(piece: string): void {
    const text = this.open === '' ? trimStart(piece) : this.open + piece
    this.open = text.length > longest ? text.slice(0, longest + 1) : text
    if (!this.hasMore && text.length > longest) this.hasMore = trimStart(text.slice(longest + 1)) !== ''
  }

  /** Whole-text replacements: looking for the next CR line by line is quadratic in a file that has none. */
  private withLfOnly(text: string): string {
    if (text === '') return text
    const rest = this.endsInCr && text.startsWith('\n') ? text.slice(1) : text
    this.endsInCr = text.endsWith('\r')
    return rest.includes('\r') ? rest.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : rest
  }
}

/** Never half of a surrogate pair: the database would refuse it. */
function cut(text: string): string {
  const unit = text.charCodeAt(longest - 1)
  const isHigh = unit >= 0xd800 && unit <= 0xdbff
  return text.slice(0, isHigh ? longest - 1 : longest)
}
