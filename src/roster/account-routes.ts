import type { FastifyInstance } from 'fastify'
import { unlinkAccount } from '../oidc/unlink-account.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { form, idParams } from '../web/forms.ts'
import { noPerson } from './person-page.ts'

export function accountRoutes(app: FastifyInstance, { db }: Deps): void {
  app.post<{ Params: { id: string } }>(
    '/people/:id/provider-account/removal',
    { config: { access: 'owner' }, schema: { params: idParams, body: form({}) } },
    async (request, reply) => {
      const { id } = request.params
      const outcome = await unlinkAccount(db, viewerOf(request).id, Number(id))
      if (outcome === 'unknown') throw noPerson()
      if (outcome === 'no-account') throw new Refusal(409, 'This person has no account at the provider here.')
      const text = 'Separated from the provider’s account. The sessions that began there have ended.'
      return redirectWith(reply, db, `/people/${id}`, text)
    }
  )
}
