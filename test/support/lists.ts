/** Lists of any length with the expected verdict of every line. */
import type { Database } from '../../src/db/client.ts'
import { revoke } from '../../src/invitations/revoke.ts'
import { optOut } from '../../src/mail/store.ts'
import { addressOf, addUser } from './app.ts'
import type { Line } from './batches.ts'
import { expire, invite, linkOf } from './people.ts'

/** People of every kind that lists meet, without the domain. */
const cast = {
  active: ['signed1', 'signed2'],
  deactivated: ['left1', 'left2'],
  suppressed: ['optedout1', 'optedout2'],
  pending: ['open1', 'open2'],
  invite: ['late1', 'late2', 'revoked1', 'revoked2']
} as const

const domain = 'larkfield.example'

/** Adds the cast to the database. */
export async function introduceCast(db: Database, inviterId: number): Promise<void> {
  for (const name of cast.active) await addUser(db, name, 'member')
  for (const name of cast.deactivated) await addUser(db, name, 'member', { isDeactivated: true })
  for (const name of cast.suppressed) await optOut(db, `${name}@${domain}`)
  const invited = [...cast.pending, ...cast.invite].map(name => `${name}@${domain}`)
  await invite(db, inviterId, ...invited)
  for (const address of invited) {
    const { personId, invitationId } = await linkOf(db, address)
    if (address.startsWith('late')) await expire(db, personId)
    if (address.startsWith('revoked')) await revoke(db, inviterId, invitationId)
  }
}

const malformed = [
  'nobody',
  'Kim Doe <kim@larkfield.example>',
  'kim@larkfield.example,ben@larkfield.example',
  'mailto:kim@larkfield.example',
  'kim@@larkfield.example',
  'kim @larkfield.example',
  '"kim"@larkfield.example',
  'kim..doe@larkfield.example',
  '.kim@larkfield.example',
  '@larkfield.example',
  'kim@',
  'kim@[127.0.0.1]',
  `${'k'.repeat(65)}@larkfield.example`,
  'kim(work)@larkfield.example',
  'kim\u200b.doe@larkfield.example',
  'kim\u000bdoe@larkfield.example',
  '=?utf-8?q?kim?=@larkfield.example'
]
const foreign = [
  'kim@elsewhere.example',
  'kim@larkfeild.example',
  'kim@larkfield',
  'kim@localhost',
  'kim@mail.larkfield.example'
]
const trimmed = ['', ' ', '\t', '\u00a0', '\u200b', '\ufeff', '\f', '\u2028', '\u202e']

export interface ExpectedLine extends Line {
  address: string | null
}

export interface KnownList {
  text: string
  /** The expected row of every line that is not blank, in order. */
  lines: ExpectedLine[]
}

export interface ListOptions {
  /** What ends a line; several are mixed. */
  ends?: string[]
  seed?: number
}

/** A list of `count` lines of every kind, some of them blank, with the expected outcome of each. */
export function knownList(count: number, { ends = ['\n'], seed = 1 }: ListOptions = {}): KnownList {
  const random = randomFrom(seed)
  const one = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!
  const firstLines = new Map<string, number>()
  const lines: ExpectedLine[] = []
  const pieces: string[] = []
  let last = ''
  // one growing string would be copied whole each time that its end is read
  const put = (...some: string[]) => {
    last = some.join('') || last
    pieces.push(...some)
  }

  function good(local: string, verdict: string) {
    const spelled = one([local, local.toUpperCase(), local[0]!.toUpperCase() + local.slice(1)])
    const written = `${spelled}@${one([domain, domain.toUpperCase()])}`
    const { key, address } = addressOf(written)
    const first = firstLines.get(key)
    if (first === undefined) firstLines.set(key, lineNumber)
    add(written, address, first === undefined ? verdict : 'duplicate', first ?? null)
  }

  function add(written: string, address: string | null, verdict: string, first: number | null = null) {
    lines.push({ line: lineNumber, text: written, address, verdict, firstLine: first })
    put(one(trimmed), written, one(trimmed))
  }

  function blank() {
    put(one(trimmed), one(trimmed))
  }

  let lineNumber = 0
  const kinds: [share: number, write: () => void][] = [
    [60, () => good(`person${lineNumber}${one(['', '+tag', '.ž', '-ü'])}`, 'invite')],
    [10, () => good(`person${Math.ceil(random() * lineNumber)}`, 'invite')],
    [5, blank],
    [8, () => add(one(malformed), null, 'malformed')],
    [7, () => addForeign(one(foreign))],
    [10, () => castMember(one(Object.keys(cast) as (keyof typeof cast)[]))]
  ]
  const addForeign = (written: string) => add(written, addressOf(written).address, 'foreign')
  const castMember = (verdict: keyof typeof cast) => good(one(cast[verdict]), verdict)
  const shares = kinds.flatMap(([share, write]) => Array.from({ length: share }, () => write))

  while (lineNumber < count) {
    lineNumber += 1
    one(shares)()
    if (lineNumber === count) break
    const end = one(ends)
    // a CR and the LF of a blank line after it would be one line end
    put(end === '\n' && last.endsWith('\r') ? ` ${end}` : end)
  }
  return { text: pieces.join(''), lines }
}

/** The expected number of lines for each verdict. */
export function expectedCounts(lines: ExpectedLine[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(lines, ({ verdict }) => verdict)].map(([name, some]) => [name, some.length])
  )
}

/** The same numbers for the same seed, from 0 to 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
