import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { csvLine } from '../lib/text/csv.ts'

type Cells = readonly (string | number | null | undefined)[]

/** Streams `<name>.csv`: UTF-8 with a byte order mark, the header line, then `pages` of rows. */
export function sendCsv(reply: FastifyReply, name: string, header: Cells, pages: AsyncIterable<Cells[]>): FastifyReply {
  return reply
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .type('text/csv; charset=utf-8')
    .send(Readable.from(textOf(header, pages)))
}

async function* textOf(header: Cells, pages: AsyncIterable<Cells[]>): AsyncGenerator<string> {
  yield `\uFEFF${csvLine(header)}`
  for await (const rows of pages) if (rows.length > 0) yield rows.map(csvLine).join('')
}
