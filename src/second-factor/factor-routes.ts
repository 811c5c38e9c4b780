import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { keysOf } from '../config/env.ts'
import { waitInWords } from '../lib/duration.ts'
import { signOutGuesser } from '../sessions/guesser-page.ts'
import { countGuess, endAfterGuesses, forgetGuesses } from '../sessions/guesses.ts'
import { welcome } from '../sessions/known-browser.ts'
import { browserOf, redirectWith } from '../sessions/scopes.ts'
import { networkOf } from '../sessions/session.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, form, optionalField } from '../web/forms.ts'
import { overOf } from '../web/handlers.ts'
import { codesPage, myFactorPage } from './factor-page.ts'
import { confirm, prove, renewCodes, startTotp, turnOff } from './manage.ts'

const url = '/me/second-factor'
const config = { access: 'member', withoutFactor: true } as const
const body = form({ act: optionalField(), code: optionalField(), current_password: optionalField() })
type Fields = Static<typeof body>

export function factorRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(url, { config }, (request, reply) => myFactorPage(deps, request, reply))

  app.post<{ Body: Fields }>(url, { config, schema: { body } }, async (request, reply) => {
    const { act } = request.body
    if (act === 'start') return start(deps, request, reply)
    if (act === 'confirm') return finish(deps, request, reply)
    if (act === 'codes' || act === 'off') return change(deps, request, reply, act)
    return myFactorPage(deps, request, reply, { act: 'Choose what to do.' })
  })
}

type Posted = FastifyRequest<{ Body: Fields }>

async function start(deps: Deps, request: Posted, reply: FastifyReply) {
  if (!(await startTotp(deps, selfOf(request)))) throw new Refusal(409, 'An authenticator app is in use already.')
  return reply.redirect(url, 303)
}

const selfOf = (request: FastifyRequest) => {
  const { id, sessionId } = viewerOf(request)
  return { id, sessionId }
}

async function finish(deps: Deps, request: Posted, reply: FastifyReply) {
  const result = await confirm(deps, selfOf(request), request.body.code ?? '')
  if (result.outcome === 'wrong')
    return myFactorPage(deps, request, reply, { code: 'That code is wrong. Enter the one that the app shows now.' })
  if (result.outcome === 'late') throw new Refusal(409, 'This took longer than 15 minutes. Start again.')
  const viewer = viewerOf(request)
  request.viewer = { ...viewer, needsFactor: false }
  welcome(reply, keysOf(deps), viewer.id, result.token)
  return codesPage(request, reply, result.codes, true)
}

async function change(deps: Deps, request: Posted, reply: FastifyReply, act: 'codes' | 'off') {
  const errors = await refusalOf(deps, request, reply, act)
  if (errors) return myFactorPage(deps, request, reply, errors, act)
  if (act === 'off') {
    if (!(await turnOff(deps, selfOf(request)))) throw new Refusal(409, 'No authenticator app is in use.')
    return redirectWith(reply, deps.db, url, 'The authenticator app was removed. Your other sessions have ended.')
  }
  const codes = await renewCodes(deps, selfOf(request))
  if (!codes) throw new Refusal(409, 'Set up a second factor first.')
  return codesPage(request, reply, codes, false)
}

/** Asks for the password or a code, and counts guesses. */
async function refusalOf(
  deps: Deps,
  request: Posted,
  reply: FastifyReply,
  act: 'codes' | 'off'
): Promise<FieldErrors | undefined> {
  const { id, sessionId } = viewerOf(request)
  const { current_password: password = '', code = '' } = request.body
  if (password === '' && code === '') return { code: 'Enter a code or your current password.' }
  const wait = await countGuess(deps.db, id, sessionId)
  if (wait === 'over') return signOutGuesser(request, reply)
  if (wait > 0) {
    reply.header('retry-after', String(wait))
    return { code: `Too many attempts. Wait ${waitInWords(wait)} and try again.` }
  }
  const turn = { network: networkOf(browserOf(request).ip), signal: overOf(reply) }
  const proved = await prove(deps, id, { password, code, turn })
  if (proved.outcome !== 'proved') {
    if (await endAfterGuesses(deps.db, id, sessionId)) return signOutGuesser(request, reply)
    return proved.outcome === 'wrong-password'
      ? { current_password: 'This is not your current password.' }
      : { code: 'That code is wrong, or was used before.' }
  }
  await forgetGuesses(deps.db, id, sessionId)
  if (act === 'off' && proved.isShort)
    return {
      current_password: 'Your password is too short to be used alone. Choose one of at least 15 characters first.'
    }
  return undefined
}
