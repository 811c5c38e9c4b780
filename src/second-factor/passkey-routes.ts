import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { keysOf } from '../config/env.ts'
import { idOf } from '../lib/id.ts'
import { readName } from '../lib/name.ts'
import { passkeySite } from '../lib/passkey-site.ts'
import { browserInWords } from '../lib/user-agent.ts'
import { organizationOf } from '../organization/store.ts'
import { welcome } from '../sessions/known-browser.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { type FieldErrors, form, optionalField } from '../web/forms.ts'
import { addPasskey, keepChallenge, maxPasskeys, nameOwn, removeOwn } from './own-passkeys.ts'
import { passkeysOf, takeChallenge } from './passkeys-store.ts'
import { challengeHash, creationOptions, readNew, verifyNew } from './webauthn.ts'

const url = '/me/passkeys'
const config = { access: 'member', withoutFactor: true } as const
const body = form({ act: optionalField(), id: optionalField(), name: optionalField(), credential: optionalField() })
type Posted = FastifyRequest<{ Body: Static<typeof body> }>

export const siteOf = ({ config }: Deps) => {
  const site = passkeySite(config.baseUrl)
  if (!site) throw new Refusal(409, 'Passkeys need a host name and https. Nothing was changed.')
  return site
}

export function passkeyRoutes(app: FastifyInstance, deps: Deps): void {
  app.get(url, { config }, (request, reply) => passkeysPage(deps, request, reply))

  app.post(`${url}/options`, { config, schema: { body: form({}) } }, async request => {
    const site = siteOf(deps)
    const viewer = viewerOf(request)
    const { organization } = await organizationOf(deps.db)
    const options = await creationOptions(site, { ...viewer, organization }, await passkeysOf(deps.db, viewer.id))
    await keepChallenge(deps.db, viewer, challengeHash(options.challenge))
    return options
  })

  app.post<{ Body: Static<typeof body> }>(url, { config, schema: { body } }, async (request, reply) => {
    const { act } = request.body
    if (act === 'add') return add(deps, request, reply)
    if (act === 'rename') return rename(deps, request, reply)
    if (act === 'remove') return remove(deps, request, reply)
    return passkeysPage(deps, request, reply, { act: 'Choose what to do.' })
  })
}

const failed = 'That did not work. Try again, and confirm with your fingerprint, face or PIN.'
const whyNot = {
  known: 'This passkey is registered already.',
  'too-many': `You have ${maxPasskeys} passkeys. Remove one first.`,
  'signed-out': 'Your session ended. Sign in again.'
}

const selfOf = (request: FastifyRequest) => {
  const { id, sessionId } = viewerOf(request)
  return { id, sessionId }
}

async function add(deps: Deps, request: Posted, reply: FastifyReply) {
  const site = siteOf(deps)
  const self = selfOf(request)
  const answer = readNew(request.body.credential ?? '')
  const isOpen = answer && (await takeChallenge(deps.db, challengeHash(answer.challenge), self.id))
  const passkey = isOpen ? await verifyNew(site, answer) : undefined
  if (!passkey) return passkeysPage(deps, request, reply, { new_name: failed })
  const name = readName(request.body.name ?? '') ?? browserInWords(request.headers['user-agent'] ?? null)
  const result = await addPasskey(deps.db, self, { ...passkey, name })
  if (result.outcome !== 'added') return passkeysPage(deps, request, reply, { new_name: whyNot[result.outcome] })
  welcome(reply, keysOf(deps), self.id, result.token)
  return redirectWith(reply, deps.db, url, `Passkey added: ${name}.`)
}

async function rename(deps: Deps, request: Posted, reply: FastifyReply) {
  const name = readName(request.body.name ?? '')
  const id = idOf(request.body.id)
  if (name === undefined) return passkeysPage(deps, request, reply, { [`name-${id}`]: 'Enter a name.' })
  if (id === undefined || !(await nameOwn(deps.db, selfOf(request), id, name))) throw noPasskey()
  return redirectWith(reply, deps.db, url, 'Renamed.')
}

async function remove(deps: Deps, request: Posted, reply: FastifyReply) {
  const id = idOf(request.body.id)
  if (id === undefined || !(await removeOwn(deps.db, selfOf(request), id))) throw noPasskey()
  return redirectWith(reply, deps.db, url, 'Passkey removed. Delete it on your device, too.')
}

const noPasskey = () => new Refusal(404, 'There is no such passkey.')

async function passkeysPage(deps: Deps, request: FastifyRequest, reply: FastifyReply, errors: FieldErrors = {}) {
  const viewer = viewerOf(request)
  const isWrong = Object.keys(errors).length > 0
  const passkeys = await passkeysOf(deps.db, viewer.id)
  return reply.page(
    'second-factor/passkeys',
    { title: isWrong ? 'Error: Passkeys' : 'Passkeys', status: isWrong ? 422 : 200 },
    {
      isPossible: passkeySite(deps.config.baseUrl) !== undefined,
      isMissing: viewer.needsFactor,
      errors,
      suggested: browserInWords(request.headers['user-agent'] ?? null),
      passkeys: passkeys.map(({ id, name, createdAt, lastUsedAt }) => ({
        id,
        name,
        since: showTime(createdAt, viewer.timeZone),
        used: lastUsedAt ? showTime(lastUsedAt, viewer.timeZone) : null
      }))
    }
  )
}
