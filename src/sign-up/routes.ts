import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { keysOf } from '../config/env.ts'
import { type InvitationState, stateOf } from '../invitations/invitation.ts'
import { findByFormerLink } from '../invitations/link-store.ts'
import { findByTokenHash, type InvitationRow } from '../invitations/store.ts'
import { readName } from '../lib/name.ts'
import { passwordProblem } from '../lib/secrets/password.ts'
import { hashToken } from '../lib/secrets/token.ts'
import { isNameKept } from '../people/person.ts'
import { findPerson, personOf } from '../people/store.ts'
import { type CheckDirectoryPassword, claimantOf } from '../sessions/directory-sign-in.ts'
import type { Doors } from '../sessions/doors.ts'
import { welcome } from '../sessions/known-browser.ts'
import { readRules } from '../sessions/rules-store.ts'
import { browserOf } from '../sessions/scopes.ts'
import { networkOf } from '../sessions/session.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, field, form } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { closedPage } from './closed-page.ts'
import { join, requestInvitation } from './join.ts'
import { type JoinWays, joinPage, refusedPage } from './join-page.ts'

const params = Type.Object({ token: Type.String() })
const body = form({ name: field(), password: field() })

interface ByToken {
  Params: { token: string }
}

export function joinRoutes(app: FastifyInstance, deps: Deps, doors: Doors): void {
  const { db } = deps

  app.get<ByToken>('/join/:token', { config: { access: 'anyone' }, schema: { params } }, async (request, reply) => {
    const { invitation, state } = await invitationOf(deps, request.params.token)
    if (state !== 'open') return closedPage(deps, reply, request.params.token, invitation, state, 410)
    return joinPage(deps, reply, request, invitation, { ways: await waysOf(deps, doors) })
  })

  app.post<ByToken>(
    '/join/:token/requests',
    { config: { access: 'anyone' }, schema: { params, body: form({}) } },
    async (request, reply) => {
      const { token } = request.params
      const result = await requestInvitation(db, token)
      if (result.outcome === 'unknown') throw noInvitation()
      if (result.outcome === 'wrong-state') throw new Refusal(409, 'This invitation is open: use its link to join.')
      return reply.redirect(`/join/${encodeURIComponent(token)}`, 303)
    }
  )

  app.post<Acceptance>(
    '/join/:token',
    { config: { access: 'anyone', patienceSeconds: 180 }, schema: { params, body } },
    (request, reply) => accept(deps, doors, request, reply)
  )
}

interface Acceptance extends ByToken {
  Body: Static<typeof body>
}

async function accept(deps: Deps, doors: Doors, request: FastifyRequest<Acceptance>, reply: FastifyReply) {
  const { db } = deps
  const { token } = request.params
  const { password } = request.body
  const { invitation, state } = await invitationOf(deps, token)
  if (state !== 'open') return closedPage(deps, reply, token, invitation, state, 410)
  const ways = await waysOf(deps, doors)
  if (!ways.hasPassword)
    throw new Refusal(404, 'Open the link in your invitation and join with your organization’s account.')
  const { directory } = ways
  const typed = (await keptName(db, invitation)) ?? request.body.name
  const name = readName(typed)
  const errors = errorsOf(typed, directory ? null : password, [invitation.email, request.organization ?? ''])
  // also with another error, so that the page shows both
  const answer = directory && (await askDirectory(db, directory, invitation, password))
  if (answer && answer.outcome !== 'right')
    return refusedPage(deps, reply, request, invitation, { name: typed, ways, answer, errors })
  if (name === undefined || Object.keys(errors).length > 0)
    return joinPage(deps, reply, request, invitation, { name: typed, ways, errors, status: 422 })
  const { userAgent, oldToken, ip } = browserOf(request)
  const result = await join(db, {
    token,
    name,
    ...(answer ? { entry: answer.entry } : { password }),
    userAgent,
    oldSession: oldToken,
    network: networkOf(ip),
    over: overOf(reply)
  })
  if (result.outcome === 'unknown') throw noInvitation()
  if (result.outcome === 'entry-changed')
    return refusedPage(deps, reply, request, invitation, { name: typed, ways, errors, answer: { outcome: 'unclear' } })
  if (result.outcome === 'closed') return closedPage(deps, reply, token, invitation, result.state, 410)
  welcome(reply, keysOf(deps), invitation.personId, result.session)
  return reply.redirect('/me', 303)
}

/** With only owners having passwords and no directory's, an account of the provider is the only way. */
async function waysOf({ db }: Deps, doors: Doors): Promise<JoinWays> {
  const [directory, provider, rules] = await Promise.all([doors.directory(), doors.provider(), readRules(db)])
  return { directory, provider, hasPassword: !provider || rules.passwords === 'everybody' || directory !== undefined }
}

const noInvitation = () => new Refusal(404, 'This link does not work. Make sure you copied all of it from the email.')

/** A link that another one replaced stays closed. */
async function invitationOf(
  { db }: Deps,
  token: string
): Promise<{ invitation: InvitationRow; state: InvitationState }> {
  if (!/^[A-Za-z0-9_-]{43}$/.test(token)) throw noInvitation()
  const invitation = await findByTokenHash(db, hashToken(token))
  if (invitation) return { invitation, state: stateOf(invitation) }
  const replaced = await findByFormerLink(db, hashToken(token))
  if (!replaced) throw noInvitation()
  return { invitation: replaced, state: stateOf(replaced) === 'accepted' ? 'accepted' : 'superseded' }
}

async function keptName(db: Deps['db'], { personId }: InvitationRow): Promise<string | null> {
  const person = await findPerson(db, personId)
  return person && isNameKept(person) ? person.name : null
}

async function askDirectory(
  db: Deps['db'],
  checkDirectory: CheckDirectoryPassword,
  invitation: InvitationRow,
  password: string
) {
  const claimant = claimantOf(await personOf(db, invitation.personId))
  // the holder of the link has separate attempts
  return checkDirectory(claimant, password, `invitation ${invitation.id}`)
}

function errorsOf(name: string, password: string | null, context: string[]): FieldErrors {
  const errors: FieldErrors = {}
  if (readName(name) === undefined) errors.name = 'Enter your name, up to 200 characters.'
  const problem = password === null ? null : passwordProblem(password, [...context, name])
  if (problem) errors.password = problem
  return errors
}
