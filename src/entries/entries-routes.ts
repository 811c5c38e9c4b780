import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { peopleInWords } from '../lib/words.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { filters, form, optionalField } from '../web/forms.ts'
import { entriesPage } from './entries-page.ts'
import { relinkAll } from './relink-all.ts'

const querystring = filters({ after: optionalField() })

export function entriesRoutes(app: FastifyInstance, deps: Deps): void {
  app.get<{ Querystring: Static<typeof querystring> }>(
    '/groups/entries',
    { config: { access: 'auditor' }, schema: { querystring } },
    (request, reply) => entriesPage(deps, request, reply)
  )

  app.post(
    '/groups/entries/approval',
    { config: { access: 'owner' }, schema: { body: form({}) } },
    async (request, reply) => {
      const result = await relinkAll(deps, viewerOf(request).id)
      if (result.outcome === 'role-too-small') throw new Refusal(403, 'Only an owner may do this.')
      if (result.outcome === 'not-connected') throw new Refusal(409, `${result.reason}. Nothing was changed.`)
      if (result.outcome === 'unavailable')
        throw new Refusal(503, `The directory does not answer: ${result.reason}. Nothing was changed.`)
      deps.wake()
      const left =
        result.others > 0
          ? ` ${peopleInWords(result.others)} still have their entry, or the new one cannot be used.`
          : ''
      return redirectWith(
        reply,
        deps.db,
        '/groups/entries',
        `Bound to their new entries: ${peopleInWords(result.people)}.${left}`
      )
    }
  )
}
