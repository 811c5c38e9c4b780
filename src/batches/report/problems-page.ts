import type { Db } from '../../db/client.ts'
import { counted, number } from '../../lib/words.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../../web/list.ts'
import { takesCorrections } from '../batch.ts'
import { verdictWords } from '../recipient.ts'
import type { BatchRow } from '../store.ts'
import { type BatchFilter, type BatchQuery, lineOf } from './batch-filter.ts'
import { problemLine } from './lines-page.ts'
import { type correctedOf, listLines } from './report-store.ts'

const problemVerdicts = ['malformed', 'foreign'] as const

export interface Typed {
  ticked: Set<number>
  addresses: Map<number, string>
  errors: Map<number, string>
}

interface Asked {
  batch: BatchRow
  filter: BatchFilter
  query: BatchQuery
  corrected: Awaited<ReturnType<typeof correctedOf>>
  mayAct: boolean
  base: string
  typed: Typed | undefined
}

/** The lines that still need correction, above everything else; a filter for something else hides them. */
export async function problemsView(db: Db, { batch, filter, query, corrected, mayAct, base, typed }: Asked) {
  const count = problemVerdicts.reduce((sum, name) => sum + batch[name] - (corrected[name] ?? 0), 0)
  const isAsked = filter.verdict === undefined && filter.delivery === undefined && filter.q === undefined
  if (count === 0 || !isAsked) return null
  const after = lineOf(query.problems) ?? 0
  const lines = await listLines(db, batch.id, { verdicts: [...problemVerdicts], isOpen: true }, rowsToRead, after)
  const page = pageOf(lines, line => line.line)
  return {
    count,
    ...words(count, takesCorrections(batch)),
    action: hrefOf(`${base}/corrections`, { problems: after || null }),
    mayCorrect: mayAct && batch.state !== 'receiving',
    rows: page.rows.map(line => problemLine(line, typed)),
    hints: page.rows.filter(line => line.suggestion !== null).length,
    csvs: problemVerdicts
      .filter(name => batch[name] > 0)
      .map(name => ({
        href: `${base}/lines.csv?verdict=${name}`,
        text: `${verdictWords[name].name} (${number(batch[name])})`
      })),
    ...linksOf(page, after > 0, problems => hrefOf(base, { problems }))
  }
}

function words(count: number, isWaiting: boolean) {
  const addresses = counted(count, 'address', 'addresses')
  if (isWaiting) return { says: `${addresses} cannot be invited yet.`, button: 'Correct selected lines', icon: 'check' }
  return {
    says: `${addresses} ${count === 1 ? 'was' : 'were'} not invited.`,
    button: 'Correct and invite',
    icon: 'send'
  }
}
