import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import { keysOf } from '../config/env.ts'
import { transaction } from '../db/client.ts'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { readName } from '../lib/name.ts'
import { passwordProblem } from '../lib/secrets/password.ts'
import { organizationErrors, readDomains } from '../organization/organization.ts'
import { welcome } from '../sessions/known-browser.ts'
import { browserOf } from '../sessions/scopes.ts'
import { networkOf } from '../sessions/session.ts'
import { startSession } from '../sessions/start-session.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, field, filters, form, optionalField } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { tokenIn } from '../web/paths.ts'
import { setUp } from './set-up.ts'

const body = form({
  token: field(),
  organization: field(),
  domains: field(),
  name: field(),
  email: field(),
  password: field()
})
type Fields = Static<typeof body>

/** First run only. `token` was printed at start and is stored nowhere. */
export function setupRoutes(app: FastifyInstance, deps: Deps, token: string): void {
  const { db } = deps
  app.get<{ Querystring: { token?: string } }>(
    '/setup',
    { config: { access: 'anyone' }, schema: { querystring: filters({ token: optionalField() }) } },
    async (request, reply) => {
      refuseOnceSetUp(request.organization)
      if (!isSame(request.query.token, token)) return noToken(reply)
      return setupPage(reply, { token, organization: '', domains: '', name: '', email: '', password: '' }, {})
    }
  )

  app.post<{ Body: Fields }>('/setup', { config: { access: 'anyone' }, schema: { body } }, async (request, reply) => {
    refuseOnceSetUp(request.organization)
    const values = request.body
    if (!isSame(values.token, token)) return noToken(reply)
    const errors = errorsOf(values)
    const address = parseAddress(values.email.trim())
    const organization = readName(values.organization)
    const name = readName(values.name)
    if (Object.keys(errors).length > 0 || organization === undefined || name === undefined || 'fault' in address)
      return setupPage(reply, values, errors)
    const result = await setUp(db, {
      organization,
      domains: readDomains(values.domains).names,
      name,
      address,
      password: values.password,
      network: networkOf(browserOf(request).ip),
      over: overOf(reply)
    })
    if (result.outcome === 'already') throw alreadySetUp()
    const started = await transaction(db, tx =>
      startSession(tx, result.ownerId, { ...browserOf(request), method: 'password' })
    )
    if (started?.token) welcome(reply, keysOf(deps), result.ownerId, started.token)
    return reply.redirect('/', 303)
  })
}

const alreadySetUp = () => new Refusal(404, 'Rollcall is already set up. Sign in instead.')

function refuseOnceSetUp(organization: string | null) {
  if (organization !== null) throw alreadySetUp()
}

function isSame(given: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(tokenIn(given ?? '') ?? ''), digest(token))
}

function noToken(reply: FastifyReply) {
  return reply.page('setup/no-token', { title: 'Setup link needed', status: 403 })
}

function errorsOf(values: Fields): FieldErrors {
  const errors = organizationErrors(values)
  if (readName(values.name) === undefined) errors.name = 'Enter your name, up to 200 characters.'
  if ('fault' in parseAddress(values.email.trim())) errors.email = 'Enter an email address like name@example.org.'
  const problem = passwordProblem(values.password, [values.organization, values.email, values.name])
  if (problem) errors.password = problem
  return errors
}

function setupPage(reply: FastifyReply, values: Fields, errors: FieldErrors) {
  const isWrong = Object.keys(errors).length > 0
  const { password: _, ...shown } = values
  return reply.page(
    'setup/index',
    { title: isWrong ? 'Error: Set up' : 'Set up', status: isWrong ? 422 : 200 },
    { values: shown, errors }
  )
}
