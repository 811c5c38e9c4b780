import type { Db } from '../../db/client.ts'
import { pagesOf } from '../../lib/paging.ts'
import { reasonOf } from './lines-page.ts'
import { type LineFilter, type ListedLine, listLines } from './report-store.ts'

export const linesHeader =
  'line,text,address,verdict,reason,suggestion,first_line,delivery,server_reply,delivered_at'.split(',')

export async function* linesOf(db: Db, batchId: number, filter: LineFilter) {
  const pages = pagesOf<ListedLine>((limit, last) => listLines(db, batchId, filter, limit, last?.line))
  for await (const rows of pages) {
    yield rows.map(row => [
      ...[row.line, row.text, row.address, row.verdict, reasonOf(row), row.suggestion, row.firstLine],
      ...[row.delivery, row.serverReply, row.delivery === 'sent' && !row.isKept ? row.settledAt?.toISOString() : null]
    ])
  }
}
