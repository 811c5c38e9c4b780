import type { FastifyInstance, FastifyRequest } from 'fastify'
import { keysOf } from '../config/env.ts'
import { waitInWords } from '../lib/duration.ts'
import { entered, factorPage, ticketOf } from '../sessions/entered-page.ts'
import { marksOf } from '../sessions/known-browser.ts'
import { sessionToken } from '../sessions/scopes.ts'
import { isWaiting } from '../sessions/waiting-store.ts'
import type { Deps } from '../web/deps.ts'
import { field, form, optionalField } from '../web/forms.ts'
import { passFactor } from './pass-factor.ts'

const body = form({ code: field(), kept: optionalField() })
const wrong = 'That code is wrong, or was used before. Enter the newest one.'
const late = '/sign-in?late=1'

export function factorSignInRoutes(app: FastifyInstance, deps: Deps): void {
  const find = async (request: FastifyRequest) => {
    const ticket = ticketOf(deps, request)
    return ticket && (await isWaiting(deps.db, ticket.sessionId, ticket.personId)) ? ticket : undefined
  }

  app.get('/sign-in/second-factor', { config: { access: 'anyone' } }, async (request, reply) => {
    const ticket = await find(request)
    return ticket ? factorPage(deps, reply, ticket, {}) : reply.redirect(late, 303)
  })

  app.post<{ Body: { code: string; kept?: string } }>(
    '/sign-in/second-factor',
    { config: { access: 'anyone' }, schema: { body } },
    async (request, reply) => {
      const ticket = await find(request)
      if (!ticket) return reply.redirect(late, 303)
      const { code, kept = '' } = request.body
      const nonce = marksOf(keysOf(deps), request).find(({ personId }) => personId === ticket.personId)?.nonce
      const outcome = await passFactor(deps, { ticket, code, nonce, oldToken: sessionToken(request) })
      if (outcome.outcome === 'late') return reply.redirect(late, 303)
      if (outcome.outcome === 'signed-in') return entered(deps, reply, outcome, { next: ticket.next, kept })
      if (outcome.outcome === 'wrong') return factorPage(deps, reply, ticket, { kept, error: wrong, status: 422 })
      const { retryAfterSeconds } = outcome
      reply.header('retry-after', String(retryAfterSeconds))
      const error = `Too many attempts. Wait ${waitInWords(retryAfterSeconds)} and try again.`
      return factorPage(deps, reply, ticket, { kept, error, status: 429 })
    }
  )
}
