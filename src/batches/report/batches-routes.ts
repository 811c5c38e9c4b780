import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { includesRole } from '../../lib/role.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { filters, optionalField } from '../../web/forms.ts'
import { numberOf } from './batch-filter.ts'
import { factsOf, headingOf } from './batch-page.ts'
import { listBatches } from './report-store.ts'

const pageSize = 50
const querystring = filters({ before: optionalField() })

/** The history of intakes. */
export function batchesRoutes(app: FastifyInstance, { db }: Deps): void {
  app.get<{ Querystring: Static<typeof querystring> }>(
    '/batches',
    { config: { access: 'auditor' }, schema: { querystring } },
    async (request, reply) => {
      const { timeZone, role } = viewerOf(request)
      const rows = await listBatches(db, pageSize + 1, numberOf(request.query.before))
      const shown = rows.slice(0, pageSize).map(({ batch, ...names }) => ({
        state: batch.state,
        href: `/batches/${batch.id}`,
        heading: headingOf(batch),
        ...factsOf({ ...batch, ...names }, timeZone)
      }))
      return reply.page(
        'batches/index',
        { title: 'Batches', section: 'Bulk invite' },
        {
          batches: shown,
          first: request.query.before ? '/batches' : null,
          next: rows.length > pageSize ? `/batches?before=${rows[pageSize - 1]!.batch.id}` : null,
          mayInvite: includesRole(role, 'admin')
        }
      )
    }
  )
}
