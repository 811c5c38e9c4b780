import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { transaction } from '../db/client.ts'
import { waitInWords } from '../lib/duration.ts'
import { findPerson } from '../people/store.ts'
import { clientAddress } from '../web/client-address.ts'
import type { Deps } from '../web/deps.ts'
import { statusOf, textOf } from '../web/errors.ts'
import { field, filters, form, optionalField } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { ownPath } from '../web/redirects.ts'
import { linkEntry } from './claim-entry.ts'
import { openTicket, sealTicket } from './link-ticket.ts'
import type { CheckOutside } from './outside.ts'
import { clearSessionCookie, sendSessionCookie, sessionToken } from './scopes.ts'
import { hashSessionToken } from './session.ts'
import { type SignInOutcome, signIn } from './sign-in.ts'
import { deleteSessionByToken } from './store.ts'

export const unavailable = 'The directory cannot be reached, so its passwords cannot be checked. Try again in a minute.'
const late = 'That step took longer than ten minutes. Sign in again.'
const wrong = 'That email address and password do not match a user here.'

export function signInRoutes(app: FastifyInstance, { db, config, secretKey }: Deps, outside?: CheckOutside): void {
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
      const outcome = await signIn(db, { email, password, ...browserOf(request), over: overOf(reply) }, outside)
      if (outcome.outcome === 'signed-in') {
        sendSessionCookie(reply, outcome.token)
        return reply.redirect(next ?? homeOf(outcome.role), 303)
      }
      if (outcome.outcome === 'unlinked')
        return linkPage(reply, { next: next ?? '', ticket: sealTicket(secretKey, outcome) })
      const { error, status } = refusalOf(reply, outcome, wrong)
      return signInPage(reply, { next: next ?? '', email, error, status })
    }
  )

  const linkBody = form({ ticket: field(), password: field(), next: optionalField() })
  app.post<{ Body: { ticket: string; password: string; next?: string } }>(
    '/sign-in/link',
    { config: { access: 'anyone' }, schema: { body: linkBody } },
    async (request, reply) => {
      const next = ownPath(request.body.next, config.baseUrl)
      const ticket = openTicket(secretKey, request.body.ticket)
      const person = ticket && (await findPerson(db, ticket.personId))
      if (!person) return signInPage(reply, { next: next ?? '', error: late, status: 422 })
      const { password } = request.body
      const outcome = await signIn(db, { email: person.email, password, ...browserOf(request), over: overOf(reply) })
      if (outcome.outcome === 'signed-in') {
        await transaction(db, tx => linkEntry(tx, ticket.personId, ticket.entry))
        sendSessionCookie(reply, outcome.token)
        return reply.redirect(next ?? homeOf(outcome.role), 303)
      }
      const { error, status } = refusalOf(reply, outcome, 'That is not the password that you chose here.')
      return linkPage(reply, { next: next ?? '', ticket: request.body.ticket, error, status })
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

/** What a form says after a refusal, and its status. */
function refusalOf(reply: FastifyReply, outcome: Exclude<SignInOutcome, { outcome: 'signed-in' }>, wrong: string) {
  if (outcome.outcome === 'unavailable') return { error: unavailable, status: 503 }
  if (outcome.outcome === 'busy') {
    reply.header('retry-after', String(outcome.full.retryAfterSeconds))
    return { error: textOf(outcome.full), status: statusOf(outcome.full) }
  }
  if (outcome.outcome !== 'too-many') return { error: wrong, status: 422 }
  reply.header('retry-after', String(outcome.retryAfterSeconds))
  return { error: `Too many attempts. Wait ${waitInWords(outcome.retryAfterSeconds)} and try again.`, status: 429 }
}

interface LinkView {
  next: string
  ticket: string
  error?: string
  status?: number
}

/** The step between the directory's password and an account that has a password here. */
function linkPage(reply: FastifyReply, { next, ticket, error, status = 200 }: LinkView) {
  reply.header('cache-control', 'no-store')
  const title = error ? 'Error: Link your accounts' : 'Link your accounts'
  return reply.page('sessions/link', { title, status }, { next, ticket, error: error ?? null })
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
