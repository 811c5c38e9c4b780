import { recordEvent } from '../../audit/store.ts'
import { type Database, type Db, transaction } from '../../db/client.ts'
import { withoutName } from '../../lib/addresses/split-addresses.ts'
import { trimBlanks } from '../../lib/text/blanks.ts'
import { requireRole } from '../../people/store.ts'
import { takesCorrections } from '../batch.ts'
import { lockInviting } from '../judging/judge-store.ts'
import { judgeLine, type OrganizationDomains, reasonInWords } from '../recipient.ts'
import { addToCounts, lockBatch } from '../store.ts'
import { type CorrectedLine, correctableAmong, countAddresses, markCorrected, rejoin } from './corrections-store.ts'
import { inviteWithin } from './invite-typed.ts'

export interface Correction {
  line: number
  address: string
}

export type CorrectOutcome =
  | { outcome: 'invited'; batchId: number }
  | { outcome: 'rejoined' }
  | { outcome: 'unknown-batch' }
  | { outcome: 'unknown-lines'; lines: number[] }
  /** Lines that another batch corrected before. Nothing was sent. */
  | { outcome: 'corrected-before'; lines: number[] }
  | { outcome: 'wrong'; errors: Map<number, string> }

/** All or none, each line once: into the batch until it is sent, then as a new batch that is sent immediately. */
export async function correct(
  db: Database,
  actorId: number,
  batchId: number,
  corrections: readonly Correction[],
  domains: OrganizationDomains
): Promise<CorrectOutcome> {
  return transaction(db, async tx => {
    await lockInviting(tx)
    const batch = await lockBatch(tx, batchId)
    if (!batch) return { outcome: 'unknown-batch' }
    await requireRole(tx, actorId, 'admin')
    const lines = corrections.map(({ line }) => line)
    const known = await correctableAmong(tx, batchId, lines)
    const unknown = lines.filter(line => !known.has(line))
    if (unknown.length > 0) return { outcome: 'unknown-lines', lines: unknown }
    const judged = corrections.map(each => judgeCorrection(each, domains))
    const errors = problemsByLine(judged)
    if (errors.size > 0) return { outcome: 'wrong', errors }
    if (lines.some(line => known.get(line))) return beforehand(tx, batchId, known, judged)
    if (takesCorrections(batch)) {
      await addToCounts(tx, batchId, { verdicts: await rejoin(tx, batchId, judged) })
      await recordEvent(tx, { kind: 'lines-corrected', actorId, batchId, details: { lines: lines.length } })
      return { outcome: 'rejoined' }
    }
    const addresses = judged.map(({ address }) => address)
    const correctedIn = await inviteWithin(tx, actorId, addresses, domains, { correctsBatchId: batchId })
    await markCorrected(tx, batchId, judged, correctedIn)
    return { outcome: 'invited', batchId: correctedIn }
  })
}

interface JudgedCorrection extends CorrectedLine {
  problem: string | null
}

const problemsByLine = (judged: JudgedCorrection[]) =>
  new Map(judged.flatMap(({ line, problem }) => (problem === null ? [] : [[line, problem] as const])))

/** Drops a name next to the address, as the fields of Invite do. */
function judgeCorrection({ line, address }: Correction, domains: OrganizationDomains): JudgedCorrection {
  const text = withoutName(trimBlanks(address))
  const judged = judgeLine(text, domains)
  const problem = judged.verdict === null ? null : reasonInWords(judged)
  return { line, address: judged.address ?? '', key: judged.key ?? '', problem }
}

/** Pressing the button twice leads to the same batch; another address for a corrected line does not. */
async function beforehand(
  tx: Db,
  batchId: number,
  known: Map<number, number | null>,
  judged: readonly CorrectedLine[]
): Promise<CorrectOutcome> {
  const [first, ...others] = new Set(judged.map(({ line }) => known.get(line)))
  const keys = [...new Set(judged.map(({ key }) => key))]
  const isSame = first && others.length === 0 && (await countAddresses(tx, first, keys)) === keys.length
  if (!isSame) {
    return { outcome: 'corrected-before', lines: judged.map(({ line }) => line).filter(line => known.get(line)) }
  }
  return first === batchId ? { outcome: 'rejoined' } : { outcome: 'invited', batchId: first }
}
