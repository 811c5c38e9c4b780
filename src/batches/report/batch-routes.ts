import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { includesRole } from '../../lib/role.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { filters, idParams, optionalField } from '../../web/forms.ts'
import { batchBadges, isBatchState } from '../batch.ts'
import { type Verdict, verdictWords } from '../recipient.ts'
import { findBatch } from '../store.ts'
import { barOf, deliveryCounts, factsOf, headingOf, progressOf, shownLine, verdictFilters } from './batch-page.ts'
import { listBatches, listLines } from './report-store.ts'

const querystring = filters({
  verdict: optionalField(),
  q: optionalField(),
  after: optionalField(),
  refresh: optionalField()
})
const pageSize = 50
const refreshSeconds = 5

export function batchRoutes(app: FastifyInstance, { db }: Deps): void {
  const before = filters({ before: optionalField() })
  app.get<{ Querystring: Static<typeof before> }>(
    '/batches',
    { config: { access: 'auditor' }, schema: { querystring: before } },
    async (request, reply) => {
      const { timeZone } = request.viewer!
      const rows = await listBatches(db, pageSize + 1, numberOf(request.query.before))
      const shown = rows.slice(0, pageSize).map(({ batch, creatorName }) => ({
        state: batch.state,
        href: `/batches/${batch.id}`,
        heading: headingOf(batch),
        ...factsOf({ ...batch, creatorName }, timeZone),
        badge: batchBadges[batch.state]
      }))
      const next = rows.length > pageSize ? `/batches?before=${rows[pageSize - 1]!.batch.id}` : null
      return reply.page(
        'batches/index',
        { title: 'Batches', section: 'Invite' },
        {
          batches: shown,
          next,
          first: request.query.before ? '/batches' : null,
          mayInvite: includesRole(request.viewer!.role, 'admin')
        }
      )
    }
  )

  app.get<{ Params: { id: string }; Querystring: Static<typeof querystring> }>(
    '/batches/:id',
    { config: { access: 'auditor' }, schema: { params: idParams, querystring } },
    async (request, reply) => {
      const id = Number(request.params.id)
      const batch = await findBatch(db, id)
      if (!batch) throw new Refusal(404, 'There is no such batch.')
      // a region that was made in another state refreshes the page around it as well
      const { refresh } = request.query
      if (isBatchState(refresh) && refresh !== batch.state) reply.header('hx-refresh', 'true')
      const viewer = request.viewer!
      const mayAct = includesRole(viewer.role, 'admin')
      const { q, verdict } = readFilter(request.query)
      const base = `/batches/${id}`
      const after = numberOf(request.query.after) ?? 0
      const lines = await listLines(db, id, { verdicts: verdict && [verdict], q }, pageSize + 1, after)
      const facts = factsOf(batch, viewer.timeZone)
      const shown = lines.slice(0, pageSize).map(line => shownLine(line, mayAct, viewer.timeZone))
      return reply.page(
        'batches/batch',
        {
          title: headingOf(batch),
          section: batch.source === 'file' ? 'Bulk invite' : 'Invite',
          refresh: facts.isRunning ? { seconds: refreshSeconds, url: `${base}?refresh=1` } : null,
          mainAttributes: [['data-batch-state', batch.state]]
        },
        {
          id,
          base,
          heading: headingOf(batch),
          ...facts,
          state: batch.state,
          verdicts: verdictFilters(batch, verdict, base),
          deliveries: deliveryCounts(batch),
          rows: shown,
          q: q ?? '',
          verdict: verdict ?? '',
          verdictName: verdict ? verdictWords[verdict].name : '',
          first: after > 0 ? hrefOf(base, { verdict, q }) : null,
          next: lines.length > pageSize ? hrefOf(base, { verdict, q, after: String(shown.at(-1)!.line) }) : null,
          bar: barOf(batch),
          progress: progressOf(batch),
          mayInvite: mayAct,
          poll: facts.isRunning ? hrefOf(base, { verdict, q, refresh: batch.state }) : null
        }
      )
    }
  )
}

function readFilter({ q = '', verdict = '' }: { q?: string; verdict?: string }) {
  const text = q.trim()
  return {
    q: [...text].length >= 2 ? text : undefined,
    verdict: Object.hasOwn(verdictWords, verdict) ? (verdict as Verdict) : undefined
  }
}

const numberOf = (text: string | undefined) => (text && /^\d{1,12}$/.test(text) ? Number(text) : undefined)

function hrefOf(base: string, parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return given.length > 0 ? `${base}?${new URLSearchParams(given)}` : base
}
