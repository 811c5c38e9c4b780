import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { peopleInWords } from '../lib/words.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { field, filters, form, optionalField } from '../web/forms.ts'
import { approveLeavers } from './approve-leavers.ts'
import { leaversPage } from './leavers-page.ts'

const querystring = filters({ after: optionalField() })
const body = form({ until: field() })

export function leaversRoutes(app: FastifyInstance, deps: Deps): void {
  app.get<{ Querystring: Static<typeof querystring> }>(
    '/groups/leavers',
    { config: { access: 'auditor' }, schema: { querystring } },
    (request, reply) => leaversPage(deps, request, reply)
  )

  app.post<{ Body: Static<typeof body> }>(
    '/groups/leavers/approval',
    { config: { access: 'admin' }, schema: { body } },
    async (request, reply) => {
      const { until } = request.body
      if (!/^\d{1,17}$/.test(until))
        throw new Refusal(422, 'Open People who have left and use its button. No one was deactivated.')
      const result = await approveLeavers(deps.db, viewerOf(request).id, until)
      const text =
        result.outcome === 'done'
          ? `Deactivated: ${peopleInWords(result.people)}.`
          : 'No one was deactivated: the people on that list are back, or another admin has decided.'
      return redirectWith(reply, deps.db, '/groups/leavers', text)
    }
  )
}
