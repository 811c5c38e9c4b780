import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { clientAddress } from '../web/client-address.ts'
import type { Deps } from '../web/deps.ts'
import { field, filters, form, optionalField } from '../web/forms.ts'
import { ownPath } from '../web/redirects.ts'
import type { CheckOutside } from './outside.ts'
import { clearSessionCookie, sendSessionCookie, sessionToken } from './scopes.ts'
import { hashSessionToken } from './session.ts'
import { signIn } from './sign-in.ts'
import { deleteSessionByToken } from './store.ts'

export const unavailable =
  'The directory cannot be asked at this moment, so nobody can use its password. Try again in a minute.'
const wrong = 'That e-mail address and password do not match a user here.'

export function signInRoutes(app: FastifyInstance, { db, config }: Deps, outside?: CheckOutside): void {
  const query = filters({ next: optionalField() })

  app.get<{ Querystring: { next?: string } }>(
    '/sign-in',
    { config: { access: 'anyone' }, schema: { querystring: query } },
    async (request, reply) => {
      const next = ownPath(request.query.next, config.baseUrl)
      if (request.viewer) return reply.redirect(next ?? homeOf(request.viewer.role), 303)
      return signInPage(reply, { next: next ?? '' })
    }
  )

  const body = form({ email: field(), password: field(), next: optionalField() })
  app.post<{ Body: { email: string; password: string; next?: string } }>(
    '/sign-in',
    { config: { access: 'anyone' }, schema: { body } },
    async (request, reply) => {
      const { email, password } = request.body
      const next = ownPath(request.body.next, config.baseUrl)
      const outcome = await signIn(db, { email, password, ...browserOf(request) }, outside)
      if (outcome.outcome === 'signed-in') {
        sendSessionCookie(reply, outcome.token)
        return reply.redirect(next ?? homeOf(outcome.role), 303)
      }
      if (outcome.outcome === 'wrong') return signInPage(reply, { next: next ?? '', email, error: wrong, status: 422 })
      if (outcome.outcome === 'unavailable')
        return signInPage(reply, { next: next ?? '', email, error: unavailable, status: 503 })
      reply.header('retry-after', String(outcome.retryAfterSeconds))
      const error = `Too many tries. Wait ${outcome.retryAfterSeconds} seconds and try again.`
      return signInPage(reply, { next: next ?? '', email, error, status: 429 })
    }
  )

  app.post(
    '/sign-out',
    { config: { access: 'member' }, schema: { body: Type.Optional(form({})) } },
    async (request, reply) => {
      await deleteSessionByToken(db, hashSessionToken(sessionToken(request)!))
      clearSessionCookie(reply)
      return reply.redirect('/sign-in', 303)
    }
  )
}

/** Where a role lands: the dashboard, or their own page. */
export const homeOf = (role: string) => (role === 'member' ? '/me' : '/')

/** What a new session notes of the browser that it starts in. */
export function browserOf(request: FastifyRequest) {
  return {
    ip: clientAddress(request),
    userAgent: request.headers['user-agent'] ?? null,
    oldToken: sessionToken(request)
  }
}

interface SignInView {
  next: string
  email?: string
  error?: string
  status?: number
}

function signInPage(reply: FastifyReply, { next, email = '', error, status = 200 }: SignInView) {
  const isSetUp = reply.request.organization !== null
  const title = error ? 'Error: Sign in' : 'Sign in'
  return reply.page('sessions/sign-in', { title, status }, { next, email, error: error ?? null, isSetUp })
}
