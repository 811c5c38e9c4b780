import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { keysOf } from '../config/env.ts'
import { transaction } from '../db/client.ts'
import { findPerson } from '../people/store.ts'
import type { Doors } from '../sessions/doors.ts'
import { entered, homeOf } from '../sessions/entered-page.ts'
import { marksOf } from '../sessions/known-browser.ts'
import { browserOf, clearSessionCookie, sessionHash } from '../sessions/scopes.ts'
import { deleteSessionByToken } from '../sessions/store.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { field, filters, form, optionalField } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { ownPath } from '../web/redirects.ts'
import { linkEntry } from './claim-entry.ts'
import { openTicket, sealTicket } from './link-ticket.ts'
import { signIn } from './sign-in.ts'
import { late, linkPage, refusalOf, signedOutPage, signInPage, wrong } from './sign-in-page.ts'

const querystring = filters({
  next: optionalField(),
  password: optionalField(),
  late: optionalField(),
  reset: optionalField()
})

export function signInRoutes(app: FastifyInstance, deps: Deps, doors: Doors): void {
  const { db, config } = deps
  app.get<{ Querystring: { next?: string; password?: string; late?: string; reset?: string } }>(
    '/sign-in',
    { config: { access: 'anyone' }, schema: { querystring } },
    async (request, reply) => {
      const next = ownPath(request.query.next, config.baseUrl)
      if (request.viewer) return reply.redirect(next ?? homeOf(request.viewer.role), 303)
      const { password, late: isLate, reset } = request.query
      const view = { next: next ?? '', asksPassword: password === '1', isReset: reset === '1' }
      return signInPage(deps, doors, reply, isLate === '1' ? { ...view, error: late } : view)
    }
  )

  app.post(
    '/sign-out',
    { config: { access: 'member', withoutFactor: true }, schema: { body: Type.Optional(form({})) } },
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
      if (outcome.outcome === 'signed-in') return entered(deps, reply, outcome, { next, kept })
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
        return entered(deps, reply, outcome, { next, kept })
      }
      const { error, status } = refusalOf(reply, outcome, 'That is not the password that you chose here.')
      return linkPage(reply, { next: next ?? '', kept, ticket: request.body.ticket, error, status })
    }
  )
}
