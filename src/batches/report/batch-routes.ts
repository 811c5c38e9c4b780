import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { organizationOf } from '../../organization/store.ts'
import { redirectWith } from '../../sessions/scopes.ts'
import { viewerOf } from '../../web/access.ts'
import { sendCsv } from '../../web/csv.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { filters, idParams, optionalField, repeated, valuesOf } from '../../web/forms.ts'
import { hrefOf } from '../../web/list.ts'
import { correct } from '../intake/correct.ts'
import { organizationDomains } from '../recipient.ts'
import { findBatch } from '../store.ts'
import { readFilter } from './batch-filter.ts'
import { linesHeader, linesOf } from './lines-csv.ts'
import { showBatch } from './show-page.ts'

const querystring = filters({
  verdict: optionalField(),
  delivery: optionalField(),
  q: optionalField(),
  after: optionalField(),
  problems: optionalField(),
  refresh: optionalField()
})
const body = Type.Object(
  { line: repeated() },
  { patternProperties: { '^address-[1-9][0-9]{0,8}$': Type.String() }, additionalProperties: false }
)

interface ById {
  Params: { id: string }
  Querystring: Static<typeof querystring>
}
interface Corrections extends ById {
  Body: Record<string, string | string[]>
}

export function batchRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  const read = { config: { access: 'auditor' }, schema: { params: idParams, querystring } } as const

  app.get<ById>('/batches/:id', read, (request, reply) => showBatch(deps, request, reply))

  app.get<ById>('/batches/:id/lines.csv', read, async (request, reply) => {
    const id = Number(request.params.id)
    if (!(await findBatch(db, id))) throw new Refusal(404, 'There is no such batch.')
    const { verdict, delivery, q } = readFilter(request.query)
    const name = `batch-${id}${verdict ? `-${verdict}` : ''}`
    return sendCsv(reply, name, linesHeader, linesOf(db, id, { verdicts: verdict && [verdict], delivery, q }))
  })

  // a refused form has this address: a reload or Back leads to the batch
  app.get<ById>('/batches/:id/corrections', read, async (request, reply) => {
    const { id } = request.params
    if (!(await findBatch(db, Number(id)))) throw new Refusal(404, 'There is no such batch.')
    return reply.redirect(hrefOf(`/batches/${id}`, { problems: request.query.problems }), 303)
  })

  app.post<Corrections>(
    '/batches/:id/corrections',
    { config: { access: 'admin' }, schema: { params: idParams, querystring, body } },
    (request, reply) => takeCorrections(deps, request, reply)
  )
}

async function takeCorrections(deps: Deps, request: FastifyRequest<Corrections>, reply: FastifyReply) {
  const { db, wake } = deps
  const id = Number(request.params.id)
  const ticked = new Set(valuesOf(request.body.line).map(lineNumber))
  const addresses = new Map(Object.entries(request.body).flatMap(([name, text]) => addressField(name, text)))
  const corrections = [...ticked].map(line => ({ line, address: addresses.get(line) ?? '' }))
  if (corrections.length === 0) {
    const errors = new Map([[[...addresses.keys()][0] ?? 1, 'select the lines that you corrected']])
    return showBatch(deps, request, reply, { ticked, addresses, errors })
  }
  const { domains } = await organizationOf(db)
  const result = await correct(db, viewerOf(request).id, id, corrections, organizationDomains(domains))
  if (result.outcome === 'unknown-batch') throw new Refusal(404, 'There is no such batch.')
  if (result.outcome === 'unknown-lines')
    throw new Refusal(422, `Line ${result.lines[0]} of this batch needs no correction. Nothing was sent.`)
  if (result.outcome === 'corrected-before')
    throw new Refusal(409, `Line ${result.lines[0]} has already been corrected. Nothing was sent.`)
  if (result.outcome === 'wrong') return showBatch(deps, request, reply, { ticked, addresses, errors: result.errors })
  if (result.outcome === 'rejoined')
    return redirectWith(reply, db, `/batches/${id}`, rejoinedInWords(corrections.length))
  wake()
  return reply.redirect(`/batches/${result.batchId}`, 303)
}

const rejoinedInWords = (lines: number) =>
  `${lines === 1 ? '1 line' : `${lines} lines`} corrected. Nothing is sent until you send the batch.`

function lineNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Refusal(422, 'A line number is missing. Nothing was sent.')
  return Number(text)
}

function addressField(name: string, text: string | string[]): [number, string][] {
  return name.startsWith('address-') && typeof text === 'string' ? [[Number(name.slice('address-'.length)), text]] : []
}
