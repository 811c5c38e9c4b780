import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { keysOf } from '../config/env.ts'
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
import type { CheckDirectoryPassword } from './directory-sign-in.ts'
import { keptPage } from './ended-page.ts'
import { openForm } from './kept-form.ts'
import { marksOf, welcome } from './known-browser.ts'
import { openTicket, sealTicket } from './link-ticket.ts'
import { clearSessionCookie, sessionHash, sessionToken } from './scopes.ts'
import { hashSessionToken } from './session.ts'
import { type SignInOutcome, signIn } from './sign-in.ts'
import { deleteSessionByToken, findViewer, setFlash } from './store.ts'

/** Told only after the right password. */
export const changeFirst = {
  expired: 'Your directory password has expired. Change it there',
  'must-change': 'You have to change your directory password before you can use it here. Change it in the directory'
}
export const unavailable = 'Could not reach your organization’s directory. Try again in a minute.'
const late = 'That step took longer than ten minutes. Sign in again.'
const wrong = 'Wrong email or password.'

const querystring = filters({ next: optionalField() })

export function signInRoutes(app: FastifyInstance, deps: Deps, checkDirectory?: CheckDirectoryPassword): void {
  const { db, config } = deps
  app.get<{ Querystring: { next?: string } }>(
    '/sign-in',
    { config: { access: 'anyone' }, schema: { querystring } },
    async (request, reply) => {
      const next = ownPath(request.query.next, config.baseUrl)
      if (request.viewer) return reply.redirect(next ?? homeOf(request.viewer.role), 303)
      return signInPage(reply, { next: next ?? '' })
    }
  )

  app.post(
    '/sign-out',
    { config: { access: 'member' }, schema: { body: Type.Optional(form({})) } },
    async (request, reply) => {
      const tokenHash = sessionHash(request)
      if (tokenHash) await deleteSessionByToken(db, tokenHash)
      clearSessionCookie(reply)
      return reply.redirect('/sign-in', 303)
    }
  )

  passwordRoute(app, deps, checkDirectory)
  linkRoute(app, deps)
}

function passwordRoute(app: FastifyInstance, deps: Deps, checkDirectory?: CheckDirectoryPassword): void {
  const { db, config, secretKey } = deps
  const body = form({ email: field(), password: field(), next: optionalField(), kept: optionalField() })
  app.post<{ Body: { email: string; password: string; next?: string; kept?: string } }>(
    '/sign-in',
    { config: { access: 'anyone' }, schema: { body } },
    async (request, reply) => {
      const { email, password, kept = '' } = request.body
      const next = ownPath(request.body.next, config.baseUrl)
      const outcome = await signIn(
        db,
        { email, password, ...browserOf(request), marks: marksOf(keysOf(deps), request), over: overOf(reply) },
        checkDirectory
      )
      if (outcome.outcome === 'signed-in') {
        return signedIn(deps, reply, outcome, next, kept)
      }
      if (outcome.outcome === 'unlinked')
        return linkPage(reply, { next: next ?? '', kept, ticket: sealTicket(secretKey, outcome) })
      if (outcome.outcome === 'unavailable')
        request.log.warn({ reason: outcome.reason }, 'the directory cannot check passwords')
      const { error, status } = refusalOf(reply, outcome, wrong)
      return signInPage(reply, { next: next ?? '', kept, email, error, status })
    }
  )
}

function linkRoute(app: FastifyInstance, deps: Deps): void {
  const { db, config, secretKey } = deps
  const linkBody = form({ ticket: field(), password: field(), next: optionalField(), kept: optionalField() })
  app.post<{ Body: { ticket: string; password: string; next?: string; kept?: string } }>(
    '/sign-in/link',
    { config: { access: 'anyone' }, schema: { body: linkBody } },
    async (request, reply) => {
      const next = ownPath(request.body.next, config.baseUrl)
      const ticket = openTicket(secretKey, request.body.ticket)
      const person = ticket && (await findPerson(db, ticket.personId))
      const { password, kept = '' } = request.body
      if (!person) return signInPage(reply, { next: next ?? '', kept, error: late, status: 422 })
      const browser = { ...browserOf(request), marks: marksOf(keysOf(deps), request), over: overOf(reply) }
      const outcome = await signIn(db, { email: person.email, password, ...browser })
      if (outcome.outcome === 'signed-in') {
        await transaction(db, tx => linkEntry(tx, ticket.personId, ticket.entry))
        return signedIn(deps, reply, outcome, next, kept)
      }
      const { error, status } = refusalOf(reply, outcome, 'That is not the password that you chose here.')
      return linkPage(reply, { next: next ?? '', kept, ticket: request.body.ticket, error, status })
    }
  )
}

/** Leads to the requested page, after a form that was sent when the session had ended, if there is one. */
async function signedIn(
  deps: Deps,
  reply: FastifyReply,
  { token, role, personId }: { token: string; role: string; personId: number },
  next: string | undefined,
  kept: string
) {
  const { db, secretKey } = deps
  welcome(reply, keysOf(deps), personId, token)
  const target = next ?? homeOf(role)
  if (kept === '') return reply.redirect(target, 303)
  const viewer = await findViewer(db, hashSessionToken(token))
  const entered = openForm(secretKey, kept)
  if (viewer && entered?.personId === viewer.id) return keptPage(reply, viewer.email, entered, target)
  const discarded = entered
    ? 'What was entered before belongs to someone else and was discarded.'
    : 'Your earlier input could not be kept. Nothing was sent.'
  if (viewer) await setFlash(db, viewer.sessionId, discarded)
  return reply.redirect(target, 303)
}

export const homeOf = (role: string) => (role === 'member' ? '/me' : '/')

export function browserOf(request: FastifyRequest) {
  return {
    ip: clientAddress(request),
    userAgent: request.headers['user-agent'] ?? null,
    oldToken: sessionToken(request)
  }
}

function refusalOf(reply: FastifyReply, outcome: Exclude<SignInOutcome, { outcome: 'signed-in' }>, wrong: string) {
  if (outcome.outcome === 'unavailable') return { error: unavailable, status: 503 }
  if (outcome.outcome === 'expired' || outcome.outcome === 'must-change')
    return { error: `${changeFirst[outcome.outcome]}, then sign in.`, status: 422 }
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
  kept: string
  ticket: string
  error?: string
  status?: number
}

function linkPage(reply: FastifyReply, { next, kept, ticket, error, status = 200 }: LinkView) {
  reply.header('cache-control', 'no-store')
  const title = error ? 'Error: Link your accounts' : 'Link your accounts'
  return reply.page('sessions/link', { title, status }, { next, kept, ticket, error: error ?? null })
}

interface SignInView {
  next: string
  kept?: string
  email?: string
  error?: string
  status?: number
}

function signInPage(reply: FastifyReply, { next, kept = '', email = '', error, status = 200 }: SignInView) {
  const isSetUp = reply.request.organization !== null
  const title = error ? 'Error: Sign in' : 'Sign in'
  return reply.page('sessions/sign-in', { title, status }, { next, kept, email, error: error ?? null, isSetUp })
}
