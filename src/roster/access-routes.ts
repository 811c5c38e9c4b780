/** How a person gets in: their sessions and second factor, for owners. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { counted } from '../lib/words.ts'
import { removeFactors } from '../second-factor/remove-factors.ts'
import { endSessions } from '../sessions/end-sessions.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { form, idParams } from '../web/forms.ts'
import { noPerson } from './person-page.ts'

interface ById {
  Params: { id: string }
}

export function accessRoutes(app: FastifyInstance, { db }: Deps): void {
  const config = { access: 'owner' } as const
  const body = form({})
  const byId = { config, schema: { params: idParams, body } }
  const params = Type.Object({ ...idParams.properties, session: idParams.properties.id })

  app.post<ById>('/people/:id/sessions/end', byId, async (request, reply) => {
    const id = Number(request.params.id)
    const ended = await endSessions(db, viewerOf(request), id)
    if (ended === 0) throw new Refusal(404, 'There is no session to end.')
    return redirectWith(reply, db, `/people/${id}`, `${counted(ended, 'session')} ended.`)
  })

  app.post<{ Params: { id: string; session: string } }>(
    '/people/:id/sessions/:session/end',
    { config, schema: { params, body } },
    async (request, reply) => {
      const id = Number(request.params.id)
      const ended = await endSessions(db, viewerOf(request), id, Number(request.params.session))
      if (ended === 0) throw new Refusal(404, 'There is no such session. It may have ended already.')
      return redirectWith(reply, db, `/people/${id}`, 'That session has ended.')
    }
  )

  app.post<ById>('/people/:id/second-factor/removal', byId, async (request, reply) => {
    const id = Number(request.params.id)
    const outcome = await removeFactors(db, viewerOf(request).id, id)
    if (outcome === 'unknown') throw noPerson()
    if (outcome === 'none') throw new Refusal(404, 'This person has no second factor.')
    return redirectWith(reply, db, `/people/${id}`, 'Second factor and passkeys removed. Their sessions have ended.')
  })
}
