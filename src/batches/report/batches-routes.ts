import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { idOf } from '../../lib/id.ts'
import { includesRole } from '../../lib/role.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { filters, optionalField } from '../../web/forms.ts'
import { hrefOf, linksOf, pageOf, rowsToRead } from '../../web/list.ts'
import { factsOf, headingOf } from './batch-page.ts'
import { listBatches } from './report-store.ts'

const querystring = filters({ before: optionalField() })

export function batchesRoutes(app: FastifyInstance, { db }: Deps): void {
  app.get<{ Querystring: Static<typeof querystring> }>(
    '/batches',
    { config: { access: 'auditor' }, schema: { querystring } },
    async (request, reply) => {
      const { timeZone, role } = viewerOf(request)
      const { before } = request.query
      const page = pageOf(await listBatches(db, rowsToRead, idOf(before)), ({ batch }) => batch.id)
      const shown = page.rows.map(({ batch, ...names }) => ({
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
          ...linksOf(page, Boolean(before), before => hrefOf('/batches', { before })),
          mayInvite: includesRole(role, 'admin')
        }
      )
    }
  )
}
