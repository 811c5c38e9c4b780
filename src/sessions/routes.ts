import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { keysOf } from '../config/env.ts'
import { transaction } from '../db/client.ts'
import { findPerson } from '../people/store.ts'
import { viewerOf } from '../web/access.ts'
import { clientAddress } from '../web/client-address.ts'
import type { Deps } from '../web/deps.ts'
import { field, filters, form, optionalField } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { ownPath } from '../web/redirects.ts'
import { linkEntry } from './claim-entry.ts'
import type { Doors } from './doors.ts'
import { keptPage } from './ended-page.ts'
import { openForm } from './kept-form.ts'
import { marksOf, welcome } from './known-browser.ts'
import { openTicket, sealTicket } from './link-ticket.ts'
import { clearSessionCookie, sessionHash, sessionToken } from './scopes.ts'
import { hashSessionToken } from './session.ts'
import { signIn } from './sign-in.ts'
import { late, linkPage, refusalOf, signedOutPage, signInPage, wrong } from './sign-in-page.ts'
import { deleteSessionByToken, findViewer, setFlash } from './store.ts'

const querystring = filters({ next: optionalField(), password: optionalField() })

export function signInRoutes(app: FastifyInstance, deps: Deps, doors: Doors): void {
  const { db, config } = deps
  app.get<{ Querystring: { next?: string; password?: string } }>(
    '/sign-in',
    { config: { access: 'anyone' }, schema: { querystring } },
    async (request, reply) => {
      const next = ownPath(request.query.next, config.baseUrl)
      if (request.viewer) return reply.redirect(next ?? homeOf(request.viewer.role), 303)
      return signInPage(deps, doors, reply, { next: next ?? '', asksPassword: request.query.password === '1' })
    }
  )

  app.post(
    '/sign-out',
    { config: { access: 'member' }, schema: { body: Type.Optional(form({})) } },
    async (request, reply) => {
      const there = await doors.signOutAt(viewerOf(request).sessionId)
      const tokenHash = sessionHash(request)
      if (tokenHash) await deleteSessionByToken(db, tokenHash)
      clearSessionCookie(reply)
      if (!there) return reply.redirect('/sign-in', 303)
      // browsers stop a form whose redirect leaves this site (form-action), so a page leads there
      return signedOutPage(reply, there.href)
    }
  )

  passwordRoute(app, deps, doors)
  linkRoute(app, deps, doors)
}

function passwordRoute(app: FastifyInstance, deps: Deps, doors: Doors): void {
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
        await doors.directory()
      )
      if (outcome.outcome === 'signed-in') {
        return signedIn(deps, reply, outcome, next, kept)
      }
      if (outcome.outcome === 'unlinked')
        return linkPage(reply, { next: next ?? '', kept, ticket: sealTicket(secretKey, outcome) })
      if (outcome.outcome === 'unavailable')
        request.log.warn({ reason: outcome.reason }, 'the directory cannot check passwords')
      const { error, status } = refusalOf(reply, outcome, wrong)
      return signInPage(deps, doors, reply, { next: next ?? '', kept, email, error, status, asksPassword: true })
    }
  )
}

function linkRoute(app: FastifyInstance, deps: Deps, doors: Doors): void {
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
      if (!person) return signInPage(deps, doors, reply, { next: next ?? '', kept, error: late, status: 422 })
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
