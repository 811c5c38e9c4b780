import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { pagesOf } from '../../lib/paging.ts'
import { includesRole } from '../../lib/role.ts'
import { viewerOf } from '../../web/access.ts'
import { sendCsv } from '../../web/csv.ts'
import type { Deps } from '../../web/deps.ts'
import { filters, idParams, optionalField, repeated } from '../../web/forms.ts'
import { type ExportedMember, exportMembers } from '../members/export-store.ts'
import { type MemberFilter, readView } from '../members/view.ts'
import { runPart } from './group-head-page.ts'
import { barPage, groupOf, groupPage } from './group-page.ts'

export const viewFields = {
  by: optionalField(),
  status: optionalField(),
  delivery: optionalField(),
  q: optionalField(),
  open: repeated(),
  after: repeated(),
  from: optionalField(),
  selection: optionalField()
}
const querystring = filters({ ...viewFields, refresh: optionalField() })

interface ById {
  Params: { id: string }
  Querystring: Static<typeof querystring>
}

export function groupRoutes(app: FastifyInstance, deps: Deps): void {
  const read = { config: { access: 'auditor' }, schema: { params: idParams, querystring } } as const

  app.get<ById>('/groups/:id', read, async (request, reply) => {
    const group = await groupOf(deps, request)
    const view = readView(request.query)
    if (request.query.refresh === 'running' && request.headers['hx-request'])
      return runPart(reply, group, includesRole(viewerOf(request).role, 'admin'), viewerOf(request).timeZone)
    if (String(request.headers['hx-target'] ?? '').endsWith('#selbar'))
      return barPage(deps, request, reply, group, view)
    return groupPage(deps, request, reply, group, view)
  })

  app.get<ById>('/groups/:id/members.csv', read, async (request, reply) => {
    const group = await groupOf(deps, request)
    return sendCsv(reply, `group-${group.id}`, header, linesOf(deps, group.teamId, readView(request.query)))
  })
}

const header = 'name,address,department,title,enrollment,delivery,invited_at,signed_up_at,disabled'.split(',')

async function* linesOf({ db }: Deps, teamId: number, filter: MemberFilter) {
  const pages = pagesOf<ExportedMember>((limit, last) => exportMembers(db, teamId, filter, limit, last))
  for await (const rows of pages) {
    yield rows.map(row => [
      ...[row.name, row.email, row.department, row.title, row.enrollment, row.delivery],
      ...[row.invitedAt?.toISOString(), row.signedUpAt?.toISOString(), row.isDisabled ? 'yes' : 'no']
    ])
  }
}
