import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { Role } from '../../lib/role.ts'
import { redirectWith } from '../../sessions/scopes.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { filters, form, optionalField, repeated, valuesOf } from '../../web/forms.ts'
import { type KeepOutcome, keepSynced } from '../decisions/keep-synced.ts'
import { groupsPage, syncedPart, type Trouble } from './groups-page.ts'

const querystring = filters({
  q: optionalField(),
  group: repeated(),
  sort: optionalField(),
  after: optionalField(),
  refresh: optionalField()
})
const body = form({ group: repeated(), q: optionalField() })

interface ToSync {
  Querystring: Static<typeof querystring>
  Body: Static<typeof body>
}

export function groupsRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps

  app.get<{ Querystring: Static<typeof querystring> }>(
    '/groups',
    { config: { access: 'auditor' }, schema: { querystring } },
    (request, reply) => {
      const isTable = request.query.refresh === 'synced' && request.headers['hx-request']
      return isTable ? syncedPart(deps, request, reply) : groupsPage(deps, request, reply)
    }
  )

  app.post<ToSync>(
    '/groups',
    { config: { access: 'admin' }, schema: { querystring, body } },
    async (request, reply) => {
      const ids = [...new Set(valuesOf(request.body.group))].filter(Boolean)
      if (ids.length === 0) return refuse(deps, request, reply, nothingTicked)
      const result = await keepSynced(deps, viewerOf(request).id, ids)
      if (result.outcome !== 'kept') return refuse(deps, request, reply, troubleOf(result, viewerOf(request).role))
      wake()
      const count = result.groupIds.length
      const text = count === 1 ? 'Syncing 1 group.' : `Syncing ${count} groups.`
      return redirectWith(
        reply,
        db,
        '/groups',
        count === 0 ? 'These groups are already synced.' : `${text} This does not invite anyone.`
      )
    }
  )
}

const nothingTicked: Trouble = {
  status: 422,
  heading: 'Nothing was synced.',
  list: [{ href: '#q', text: 'Search for groups and select the ones to sync.' }]
}

function troubleOf(result: Exclude<KeepOutcome, { outcome: 'kept' }>, role: Role): Trouble {
  if (result.outcome === 'no-sign-in') {
    const href = role === 'owner' ? '/settings/sign-in' : '#q'
    const who = role === 'owner' ? 'Turn on' : 'An owner has to turn on'
    const text = `Directory sign-in is off. ${who} it first.`
    return { status: 409, heading: 'Nothing was synced.', list: [{ href, text }] }
  }
  if (result.outcome === 'unavailable')
    return { status: 503, heading: 'Nothing was synced.', list: [{ href: '#q', text: result.reason }] }
  const text = 'A group that you selected is no longer in the directory. Search again.'
  return { status: 422, heading: 'Nothing was synced.', list: [{ href: '#q', text }] }
}

const refuse = (deps: Deps, request: FastifyRequest<ToSync>, reply: FastifyReply, trouble: Trouble) =>
  groupsPage(deps, request, reply, trouble, valuesOf(request.body.group))
