import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { recordEvent } from '../audit/store.ts'
import { keysOf } from '../config/env.ts'
import { transaction } from '../db/client.ts'
import { waitInWords } from '../lib/duration.ts'
import { isOneOf } from '../lib/known.ts'
import { readName } from '../lib/name.ts'
import { RoleLost } from '../lib/role.ts'
import { readOrganization } from '../organization/store.ts'
import { isNameKept } from '../people/person.ts'
import { lockPerson, type PersonRow, personOf, requireRole, updateProfile } from '../people/store.ts'
import { factorsOf } from '../sessions/factors-store.ts'
import { signOutGuesser } from '../sessions/guesser-page.ts'
import { countGuess, endAfterGuesses, forgetGuesses } from '../sessions/guesses.ts'
import { welcome } from '../sessions/known-browser.ts'
import { readRules } from '../sessions/rules-store.ts'
import { browserOf, redirectWith } from '../sessions/scopes.ts'
import { networkOf } from '../sessions/session.ts'
import { sessionsView } from '../sessions/sessions-page.ts'
import { startSession } from '../sessions/start-session.ts'
import { deleteSession, deleteSessionsOf, holdSession, listSessions, teamsOf } from '../sessions/store.ts'
import { maySignInWithPassword } from '../sign-in/forgotten.ts'
import { type Viewer, viewerOf } from '../web/access.ts'
import { timeZoneNamed } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, form, idParams, optionalField } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { accountsView } from './accounts-page.ts'
import { changePassword } from './change-password.ts'

const body = form({
  name: optionalField(),
  theme: optionalField(),
  time_zone: optionalField(),
  shortcuts: optionalField(),
  current_password: optionalField(),
  password: optionalField()
})
type Fields = Static<typeof body>

const themes = ['system', 'light', 'dark'] as const

export function meRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps

  app.get('/me', { config: { access: 'member' } }, (request, reply) => mePage(deps, request, reply))

  app.post<{ Body: Fields }>('/me', { config: { access: 'member' }, schema: { body } }, async (request, reply) => {
    const fields = request.body
    const errors = profileErrors(fields, await personOf(db, viewerOf(request).id))
    if (Object.keys(errors).length > 0) return mePage(deps, request, reply, fields, errors)
    if (fields.password !== undefined || fields.current_password !== undefined) {
      const passwordErrors = await tryPassword(deps, request, reply, fields)
      if (passwordErrors) return mePage(deps, request, reply, fields, passwordErrors)
    }
    await saveProfile(deps, viewerOf(request).id, fields)
    return fields.password ? reply.redirect('/me', 303) : redirectWith(reply, db, '/me', 'Saved.')
  })

  app.post<{ Params: { id: string } }>(
    '/me/sessions/:id/end',
    { config: { access: 'member' }, schema: { params: idParams, body: form({}) } },
    async (request, reply) => {
      const isMine = await deleteSession(db, viewerOf(request).id, Number(request.params.id))
      if (!isMine) throw new Refusal(404, 'There is no such session. It may have ended already.')
      return redirectWith(reply, db, '/me', 'That session has ended.')
    }
  )
}

function profileErrors({ name, theme, time_zone, shortcuts }: Fields, person: PersonRow): FieldErrors {
  const errors: FieldErrors = {}
  if (name !== undefined && name !== person.name) {
    if (isNameKept(person)) errors.name = 'Your name comes from your organization’s directory. Change it there.'
    else if (readName(name) === undefined) errors.name = 'Enter your name, up to 200 characters.'
  }
  if (theme !== undefined && !isOneOf(themes, theme)) errors.theme = 'Choose one of the themes.'
  if (time_zone?.trim() && !timeZoneNamed(time_zone)) errors.time_zone = 'Enter a time zone like Europe/Berlin.'
  if (shortcuts !== undefined && !['on', 'off'].includes(shortcuts)) errors.shortcuts = 'Choose on or off.'
  return errors
}

async function tryPassword(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  fields: Fields
): Promise<FieldErrors | undefined> {
  const { db } = deps
  const { id, sessionId } = viewerOf(request)
  const wait = await countGuess(db, id, sessionId)
  if (wait === 'over') return signOutGuesser(request, reply)
  if (wait > 0) {
    reply.header('retry-after', String(wait))
    return { current_password: `Too many attempts. Wait ${waitInWords(wait)} and try again.` }
  }
  const browser = browserOf(request)
  let started: Awaited<ReturnType<typeof startSession>>
  const result = await changePassword(db, id, {
    current: fields.current_password ?? '',
    next: fields.password ?? '',
    turn: { network: networkOf(browser.ip), signal: overOf(reply) },
    after: async tx => {
      if (!(await holdSession(tx, id, sessionId))) return false
      await deleteSessionsOf(tx, id)
      const { userAgent, oldToken } = browser
      started = await startSession(tx, id, { userAgent, oldToken, method: 'password', isProven: true })
      return started !== undefined
    }
  })
  if (result.outcome === 'wrong-password') {
    if (await endAfterGuesses(db, id, sessionId)) return signOutGuesser(request, reply)
    return { current_password: 'This is not your current password.' }
  }
  await forgetGuesses(db, id, sessionId)
  if (result.outcome === 'refused') return { password: result.problem }
  if (result.outcome === 'changed-meanwhile' || !started?.token)
    return { password: 'Your account changed meanwhile. Sign in again.' }
  welcome(reply, keysOf(deps), id, started.token)
  return undefined
}

async function saveProfile({ db }: Deps, id: number, fields: Fields) {
  await transaction(db, async tx => {
    const person = await lockPerson(tx, id)
    await requireRole(tx, id, 'member')
    if (!person) throw new RoleLost()
    const typed = isNameKept(person) || fields.name === person.name ? undefined : fields.name
    const name = typed === undefined ? person.name : (readName(typed) ?? person.name)
    if (name !== person.name) {
      const details = { before: person.name ?? person.email, name }
      await recordEvent(tx, { kind: 'name-changed', actorId: id, personId: id, details })
    }
    await updateProfile(tx, id, {
      name,
      theme: themes.find(each => each === fields.theme) ?? person.theme,
      timeZone: fields.time_zone === undefined ? person.timeZone : (timeZoneNamed(fields.time_zone) ?? null),
      shortcuts: fields.shortcuts === undefined ? person.shortcuts : fields.shortcuts === 'on'
    })
  })
}

/** A name that the directory gives cannot be typed. */
const valuesOf = (typed: Fields, person: PersonRow, viewer: Viewer) => ({
  name: (isNameKept(person) ? undefined : typed.name) ?? person.name ?? '',
  theme: typed.theme ?? viewer.theme,
  time_zone: typed.time_zone ?? person.timeZone ?? '',
  shortcuts: typed.shortcuts ?? (viewer.shortcuts ? 'on' : 'off')
})

async function mePage(
  { db }: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  typed: Fields = {},
  errors: FieldErrors = {}
) {
  const viewer = viewerOf(request)
  const [person, organization, teams, sessions, rules, { hasCodes }] = await Promise.all([
    personOf(db, viewer.id),
    readOrganization(db),
    teamsOf(db, viewer.id),
    listSessions(db, viewer.id),
    readRules(db),
    factorsOf(db, viewer.id)
  ])
  const isWrong = Object.keys(errors).length > 0
  return reply.page(
    'me/index',
    { title: isWrong ? 'Error: Your profile' : 'Your profile', status: isWrong ? 422 : 200 },
    {
      email: viewer.email,
      hasPassword: person.passwordHash !== null,
      maySetPassword: maySignInWithPassword(person, rules),
      leastCharacters: hasCodes ? 8 : 15,
      isNameKept: isNameKept(person),
      values: valuesOf(typed, person, viewer),
      errors,
      timeZones: Intl.supportedValuesOf('timeZone'),
      organizationTimeZone: organization?.timeZone ?? 'UTC',
      continueUrl: organization?.continueUrl ?? null,
      teams,
      accounts: await accountsView(db, viewer.id, viewer.timeZone),
      sessions: sessionsView(sessions, viewer)
    }
  )
}
