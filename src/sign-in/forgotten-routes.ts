import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { browserOf, redirectWith } from '../sessions/scopes.ts'
import { networkOf } from '../sessions/session.ts'
import { countTry } from '../sessions/store.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { field, filters, form, optionalField } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { askForLink, askForOwnLink, openPasswordLink, resetPassword } from './forgotten.ts'

const asksPerMinute = 10
const anyone = { access: 'anyone' } as const

export function forgottenRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps
  app.get<{ Querystring: { sent?: string } }>(
    '/forgotten',
    { config: anyone, schema: { querystring: filters({ sent: optionalField() }) } },
    (request, reply) => askPage(reply, { isSent: request.query.sent === '1' })
  )

  app.post<{ Body: { email: string } }>(
    '/forgotten',
    { config: anyone, schema: { body: form({ email: field() }) } },
    async (request, reply) => {
      const { email } = request.body
      const { tries, secondsLeft } = await countTry(db, `forgotten network ${networkOf(browserOf(request).ip)}`)
      if (tries > asksPerMinute) {
        reply.header('retry-after', String(Math.max(1, secondsLeft)))
        throw new Refusal(429, 'Too many attempts. Wait a minute and try again.')
      }
      if (!(await askForLink(db, email)))
        return askPage(reply, { isSent: false, email, errors: { email: 'Enter your email address.' } })
      wake()
      return reply.redirect('/forgotten?sent=1', 303)
    }
  )

  ownLinkRoute(app, deps)
  linkRoutes(app, deps)
}

function ownLinkRoute(app: FastifyInstance, { db, wake }: Deps): void {
  app.post(
    '/me/password-link',
    { config: { access: 'member' }, schema: { body: form({}) } },
    async (request, reply) => {
      const outcome = await askForOwnLink(db, viewerOf(request).id)
      if (outcome === 'not-here') throw new Refusal(409, 'Only owners sign in with a password here.')
      wake()
      const said =
        outcome === 'sent'
          ? 'A link to set a password is on its way.'
          : 'Rollcall sent you a link a moment ago. Check your email.'
      return redirectWith(reply, db, '/me', said)
    }
  )
}

interface ByToken {
  Params: { token: string }
}

function linkRoutes(app: FastifyInstance, { db }: Deps): void {
  const params = Type.Object({ token: Type.String() })
  app.get<ByToken>('/forgotten/:token', { config: anyone, schema: { params } }, async (request, reply) => {
    const { token } = request.params
    const link = await openPasswordLink(db, token)
    if (link.state !== 'open') throw closed(link.state)
    return passwordPage(reply, { token, email: link.person.email, hasCodes: link.hasCodes })
  })

  app.post<ByToken & { Body: { password: string } }>(
    '/forgotten/:token',
    { config: anyone, schema: { params, body: form({ password: field() }) } },
    async (request, reply) => {
      const { token } = request.params
      const turn = { network: networkOf(browserOf(request).ip), signal: overOf(reply) }
      const result = await resetPassword(db, { token, password: request.body.password, turn })
      if (result.outcome === 'closed') throw closed(result.state)
      if (result.outcome === 'done') return reply.redirect('/sign-in?reset=1', 303)
      const { email, hasCodes, problem } = result
      return passwordPage(reply, { token, email, hasCodes, errors: { password: problem } })
    }
  )
}

function closed(state: 'unknown' | 'used' | 'expired'): Refusal {
  if (state === 'unknown') return new Refusal(404, 'There is no such link. Ask for a new one on the sign-in page.')
  const why = state === 'used' ? 'was used, or replaced by another' : 'has expired'
  return new Refusal(410, `This link ${why}. Ask for a new one on the sign-in page.`)
}

interface Asking {
  isSent: boolean
  email?: string
  errors?: Record<string, string>
}

function askPage(reply: FastifyReply, { isSent, email = '', errors = {} }: Asking) {
  const isWrong = Object.keys(errors).length > 0
  const title = isSent ? 'Check your email' : isWrong ? 'Error: Forgotten password' : 'Forgotten password'
  return reply.page('sign-in/forgotten', { title, status: isWrong ? 422 : 200 }, { isSent, email, errors })
}

interface Setting {
  token: string
  email: string
  hasCodes: boolean
  errors?: Record<string, string>
}

function passwordPage(reply: FastifyReply, { token, email, hasCodes, errors = {} }: Setting) {
  const isWrong = Object.keys(errors).length > 0
  const least = hasCodes ? 8 : 15
  return reply.page(
    'sign-in/new-password',
    { title: isWrong ? 'Error: New password' : 'New password', status: isWrong ? 422 : 200 },
    { token, email, least, errors }
  )
}
