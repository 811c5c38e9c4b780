/** To the organization's provider and back. Sign-in starts from links: browsers stop a form that leads to another site. */
import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { stateOf } from '../invitations/invitation.ts'
import { findByTokenHash } from '../invitations/store.ts'
import { hashToken } from '../lib/secrets/token.ts'
import type { AttemptRow } from '../oidc/attempts-store.ts'
import { faultOf } from '../oidc/fault.ts'
import { fingerprintOf, type Provider, readProvider } from '../oidc/settings.ts'
import { type Answer, beginSignIn, findAttempt, finishSignIn, isWorthASecond } from '../oidc/sign-in.ts'
import { requireRole } from '../people/store.ts'
import { entered } from '../sessions/entered-page.ts'
import { browserOf } from '../sessions/scopes.ts'
import { networkOf } from '../sessions/session.ts'
import { countTry } from '../sessions/store.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { filters, form, optionalField } from '../web/forms.ts'
import { textOf } from '../web/list.ts'
import { queryOf } from '../web/paths.ts'
import { ownPath } from '../web/redirects.ts'
import { type Entering, enter } from './enter.ts'
import { sealIdToken } from './id-token.ts'
import { faultPage, refusedPage } from './refused-page.ts'
import { testedPage } from './tested-page.ts'

interface ByToken {
  Params: { token: string }
}
type Beginning = Pick<AttemptRow, 'purpose'> &
  Partial<Pick<AttemptRow, 'personId' | 'invitationHash' | 'next'>> & { isSecond?: boolean }

export function ssoRoutes(app: FastifyInstance, deps: Deps): void {
  const querystring = filters({ next: optionalField() })
  app.get<{ Querystring: { next?: string } }>(
    '/sign-in/oidc',
    { config: { access: 'anyone' }, schema: { querystring } },
    async (request, reply) => {
      const next = ownPath(request.query.next, deps.config.baseUrl) ?? null
      return leave(deps, request, reply, await providerOf(deps), { purpose: 'sign-in', next })
    }
  )
  const params = Type.Object({ token: Type.String() })
  app.get<ByToken>(
    '/join/:token/oidc',
    { config: { access: 'anyone' }, schema: { params } },
    async (request, reply) => {
      const { token } = request.params
      const invitation = await findByTokenHash(deps.db, hashToken(token))
      if (!invitation) throw new Refusal(404, 'This link does not work. Make sure you copied all of it from the email.')
      // the invitation's own page says why it cannot be used
      if (stateOf(invitation) !== 'open') return reply.redirect(`/join/${encodeURIComponent(token)}`, 303)
      const invitationHash = hashToken(token)
      return leave(deps, request, reply, await providerOf(deps), { purpose: 'join', invitationHash })
    }
  )
  for (const method of ['GET', 'POST'] as const)
    app.route({
      method,
      url: '/settings/sign-in/test',
      config: { access: 'owner' },
      ...(method === 'POST' && { schema: { body: form({}) } }),
      handler: (request, reply) => test(deps, request, reply)
    })
  app.get('/sign-in/oidc/callback', { config: { access: 'anyone' } }, (request, reply) =>
    comeBack(deps, request, reply)
  )
}

async function providerOf(deps: Deps): Promise<Provider> {
  const { inForce } = await readProvider(deps)
  if (!inForce) throw new Refusal(404, 'Sign-in with an organization’s account is not set up here.')
  return inForce
}

/** Tests what was saved last, whether or not it is in force. */
async function test(deps: Deps, request: FastifyRequest, reply: FastifyReply) {
  const personId = viewerOf(request).id
  await requireRole(deps.db, personId, 'owner')
  const { candidate, inForce } = await readProvider(deps)
  const provider = candidate ?? inForce
  if (!provider) throw new Refusal(409, 'Save the provider’s settings first, then test them.')
  return leave(deps, request, reply, provider, { purpose: 'test', personId })
}

/** An office of thousands shares a network. */
const startsPerMinute = 600

/** Anyone may start, and every start is a row. @throws Refusal 429 */
async function limitStarts({ db }: Deps, request: FastifyRequest, reply: FastifyReply) {
  const { tries, secondsLeft } = await countTry(db, `oidc network ${networkOf(browserOf(request).ip)}`)
  if (tries <= startsPerMinute) return
  reply.header('retry-after', String(Math.max(1, secondsLeft)))
  throw new Refusal(429, 'Too many sign-ins were started from your network. Wait a minute and try again.')
}

const cookieOf = ({ server }: { server: FastifyInstance }) => `${server.cookieName}-oidc`

/** Sends the browser to the provider, bound to this browser by a cookie. */
async function leave(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  provider: Provider,
  beginning: Beginning
) {
  await limitStarts(deps, request, reply)
  const name = cookieOf(reply)
  const before = request.cookies[name]
  const browser = before && /^[\w-]{43}$/.test(before) ? before : randomBytes(32).toString('base64url')
  try {
    const url = await beginSignIn(deps, provider, { ...beginning, browser })
    reply.setCookie(name, browser, {
      path: '/',
      httpOnly: true,
      secure: name.startsWith('__Host-'),
      // strict would not come back once a button was pressed at the provider
      sameSite: 'lax',
      maxAge: 600
    })
    return reply.redirect(url.href, 303)
  } catch (error) {
    return failed(request, reply, error, beginning)
  }
}

async function failed(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  attempt: Pick<AttemptRow, 'purpose'>
) {
  const fault = await faultOf(error)
  request.log.warn({ reason: fault.detail }, 'a sign-in at the provider failed')
  return faultPage(request, reply, fault, attempt)
}

async function comeBack(deps: Deps, request: FastifyRequest, reply: FastifyReply) {
  const state = textOf(request.query, 'state')
  const attempt = await findAttempt(deps, state, request.cookies[cookieOf(reply)])
  if (!attempt)
    throw new Refusal(
      400,
      'This sign-in was not started in this browser, was used already, or took longer than ten minutes. Start again.'
    )
  const { candidate, inForce } = await readProvider(deps)
  const provider = [candidate, inForce].find(each => each && fingerprintOf(each) === attempt.provider)
  if (!provider || (attempt.purpose !== 'test' && provider !== inForce))
    throw new Refusal(400, 'The provider’s settings have changed meanwhile. Start again.')
  let answer: Answer
  try {
    answer = await finishSignIn(deps, provider, queryOf(request.url))
  } catch (error) {
    const { purpose, personId, invitationHash, next } = attempt
    if (isWorthASecond(error, state))
      return leave(deps, request, reply, provider, { purpose, personId, invitationHash, next, isSecond: true })
    return failed(request, reply, error, attempt)
  }
  const entering = enteringOf(deps, request, provider, answer, attempt)
  if (attempt.purpose === 'test') return testedPage(deps, request, reply, { attempt, answer, entering })
  return finish(deps, reply, entering, attempt)
}

function enteringOf(
  deps: Deps,
  request: FastifyRequest,
  provider: Provider,
  { identity, idToken }: Answer,
  { invitationHash }: AttemptRow
): Entering {
  const { userAgent, oldToken } = browserOf(request)
  return { identity, provider, idToken: sealIdToken(deps, identity, idToken), invitationHash, userAgent, oldToken }
}

async function finish(deps: Deps, reply: FastifyReply, entering: Entering, { next }: AttemptRow) {
  const outcome = await enter(deps, entering)
  if (outcome.outcome !== 'entered') return refusedPage(deps, reply, entering, outcome)
  return entered(deps, reply, outcome, { next: next ?? (outcome.isNew ? '/me' : undefined) })
}
