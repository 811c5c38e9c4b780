/** A few thousand judged lines as the database takes them: one text per column, one line per entry. */

import { first } from '../lib/ends.ts'
import type { Judged } from './recipient.ts'

export interface JudgedLine extends Judged {
  number: number
  text: string
}

export interface Chunk {
  firstLine: number
  lineNumbers: string
  texts: string
  addresses: string
  addressKeys: string
  verdicts: string
  reasons: string
  suggestions: string
}

/** At least one line, sorted by number. No text can hold a LF, so LF separates; an empty line means null. */
export function chunkOf(lines: readonly JudgedLine[]): Chunk {
  const column = (pick: (line: JudgedLine) => string | number | null) => lines.map(line => pick(line) ?? '').join('\n')
  return {
    firstLine: first(lines).number,
    lineNumbers: column(line => line.number),
    // most lines are just their address, so it is written once
    texts: column(line => (line.text === line.address ? null : line.text)),
    addresses: column(line => line.address),
    addressKeys: column(line => (line.key === line.address ? null : line.key)),
    verdicts: column(line => line.verdict),
    reasons: column(line => line.reason),
    suggestions: column(line => line.suggestion)
  }
}
