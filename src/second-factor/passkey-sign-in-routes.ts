import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { transaction } from '../db/client.ts'
import type { Doors } from '../sessions/doors.ts'
import { entered } from '../sessions/entered-page.ts'
import { browserOf } from '../sessions/scopes.ts'
import { networkOf } from '../sessions/session.ts'
import { startSession } from '../sessions/start-session.ts'
import { countTry } from '../sessions/store.ts'
import { signInPage } from '../sign-in/sign-in-page.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { form, optionalField } from '../web/forms.ts'
import { ownPath } from '../web/redirects.ts'
import { siteOf } from './passkey-routes.ts'
import { findPasskey, insertChallenge, noteUse, type PasskeyRow, takeChallenge } from './passkeys-store.ts'
import { challengeHash, readUse, requestOptions, verifyUse } from './webauthn.ts'

const body = form({ credential: optionalField(), next: optionalField(), kept: optionalField() })
const optionsPerMinute = 30
const failed = 'That passkey did not work. It may have been removed. Try again, or sign in another way.'

/** A passkey alone signs in: it is something people have, opened by something that they know or are. */
export function passkeySignInRoutes(app: FastifyInstance, deps: Deps, doors: Doors): void {
  const { db } = deps
  app.post(
    '/sign-in/passkey/options',
    { config: { access: 'anyone' }, schema: { body: form({}) } },
    async (request, reply) => {
      const site = siteOf(deps)
      const { tries, secondsLeft } = await countTry(db, `passkey ${networkOf(browserOf(request).ip)}`)
      if (tries > optionsPerMinute) {
        reply.header('retry-after', String(Math.max(1, secondsLeft)))
        throw new Refusal(429, 'Too many attempts. Wait a minute and try again.')
      }
      const options = await requestOptions(site)
      await insertChallenge(db, challengeHash(options.challenge), null)
      return options
    }
  )

  app.post<{ Body: Static<typeof body> }>(
    '/sign-in/passkey',
    { config: { access: 'anyone' }, schema: { body } },
    async (request, reply) => {
      const { credential = '', kept = '' } = request.body
      const next = ownPath(request.body.next, deps.config.baseUrl)
      const started = await signInWith(deps, request, credential)
      if (!started) return signInPage(deps, doors, reply, { next: next ?? '', kept, error: failed, status: 422 })
      return entered(deps, reply, started, { next, kept })
    }
  )
}

async function signInWith(deps: Deps, request: FastifyRequest, credential: string) {
  const site = siteOf(deps)
  const answer = readUse(credential)
  if (!answer || !(await takeChallenge(deps.db, challengeHash(answer.challenge), null))) return undefined
  const passkey = await findPasskey(deps.db, Buffer.from(answer.credential.id, 'base64url'))
  const counter = passkey && (await verifyUse(site, answer, passkey))
  if (!passkey || counter === undefined) return undefined
  const { userAgent, oldToken } = browserOf(request)
  return start(deps, passkey, counter, { userAgent, oldToken })
}

async function start(
  { db }: Deps,
  passkey: PasskeyRow,
  counter: number,
  browser: { userAgent: string | null; oldToken: string | undefined }
) {
  const { personId } = passkey
  return transaction(db, async tx => {
    if (!(await noteUse(tx, passkey, counter))) return undefined
    const started = await startSession(tx, personId, { ...browser, method: 'passkey', isProven: true })
    return started && { ...started, personId }
  })
}
