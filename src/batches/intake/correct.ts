import type { Database } from '../../db/client.ts'
import { trimBlanks } from '../../lib/blanks.ts'
import { withoutName } from '../../lib/split-addresses.ts'
import { judgeLine, type OrganizationDomains, reasonInWords } from '../recipient.ts'
import { problemLinesAmong } from '../report/report-store.ts'
import { inviteTyped } from './invite-typed.ts'

export interface Correction {
  /** A line of the batch that was malformed or foreign. */
  line: number
  /** What somebody made of it. */
  address: string
}

export type CorrectOutcome =
  | { outcome: 'invited'; batchId: number }
  /** Lines that need no correction, or are not there. */
  | { outcome: 'unknown-lines'; lines: number[] }
  /** By line, what is still wrong with it, in words. Nothing was sent. */
  | { outcome: 'wrong'; errors: Map<number, string> }

/** Invites the corrected lines of a batch as a batch of their own, all or none of them. */
export async function correct(
  db: Database,
  actorId: number,
  batchId: number,
  corrections: readonly Correction[],
  domains: OrganizationDomains
): Promise<CorrectOutcome> {
  const known = await problemLinesAmong(
    db,
    batchId,
    corrections.map(({ line }) => line)
  )
  const lines = corrections.map(({ line }) => line).filter(line => !known.has(line))
  if (lines.length > 0) return { outcome: 'unknown-lines', lines }
  const errors = new Map(corrections.flatMap(each => problemOf(each, domains)))
  if (errors.size > 0) return { outcome: 'wrong', errors }
  const addresses = corrections.map(({ address }) => addressIn(address))
  return {
    outcome: 'invited',
    batchId: await inviteTyped(db, actorId, addresses, domains, { correctsBatchId: batchId })
  }
}

/** A name that was left beside the address is dropped, as in the fields of Invite. */
const addressIn = (text: string) => withoutName(trimBlanks(text))

function problemOf({ line, address }: Correction, domains: OrganizationDomains): [number, string][] {
  const judged = judgeLine(addressIn(address), domains)
  return judged.verdict === null ? [] : [[line, reasonInWords(judged)]]
}
