import type { FastifyReply } from 'fastify'
import { listEvents } from '../audit/store.ts'
import { bindLimit } from '../directory/password-check.ts'
import { readDirectory } from '../directory/settings.ts'
import { newestGoodRead } from '../groups/decisions/listing-store.ts'
import { callbackUrl } from '../oidc/settings.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import type { FieldErrors } from '../web/forms.ts'
import { signInState } from './change-sign-in.ts'
import { lockedBy, type SignInFields, type SignInState, signInFields, valuesOf } from './sign-in-form.ts'

interface Answer {
  typed?: SignInFields
  errors?: FieldErrors
}

export async function signInSettingsPage(deps: Deps, reply: FastifyReply, { typed = {}, errors = {} }: Answer = {}) {
  const state = await signInState(deps)
  const isWrong = Object.keys(errors).length > 0
  const saved = valuesOf(state)
  return reply.page(
    'settings/sign-in',
    { title: isWrong ? 'Error: Sign-in' : 'Sign-in', section: 'Settings', status: isWrong ? 422 : 200 },
    {
      ...(await directoryView(deps, reply, saved.ldap === 'on')),
      errors,
      saved,
      values: { ...saved, ...typed, oidc_client_secret: '' },
      isOpen: Object.fromEntries(signInFields.map(field => [field, !lockedBy(field, state)])),
      locked: signInFields.flatMap(field => lockedFact(field, state, saved)),
      provider: providerView(state),
      addresses: addressesOf(deps),
      trouble: await groupsTrouble(deps, reply, state)
    }
  )
}

async function directoryView(deps: Deps, reply: FastifyReply, isOn: boolean) {
  const [{ settings, problem, locked }, read] = await Promise.all([readDirectory(deps), newestGoodRead(deps.db)])
  const host = URL.parse(settings.url)?.host
  return {
    isOn,
    server: host ? `${host}${locked.has('url') ? ', set by LDAP_URL in the environment' : ''}` : null,
    problem,
    lastRead: read ? showTime(read, viewerOf(reply.request).timeZone) : null,
    limit: bindLimit
  }
}

function lockedFact(field: (typeof signInFields)[number], state: SignInState, saved: Record<string, string>) {
  const variable = lockedBy(field, state)
  if (variable === undefined || field === 'oidc') return []
  return [{ name: variable, value: field === 'oidc_client_secret' ? 'kept secret' : (saved[field] ?? '') }]
}

function providerView({ provider: { inForce, candidate, isLocked, isSecretSealed }, rows }: SignInState) {
  return {
    inForce: inForce ? { issuer: inForce.issuer, name: inForce.name, clientId: inForce.clientId } : null,
    candidate: candidate ? { issuer: candidate.issuer, isTested: candidate.isTested } : null,
    canTest: inForce !== null || candidate !== null,
    hasSecret: Boolean((rows.candidate ?? rows.inForce)?.clientSecret) && !isSecretSealed,
    isLocked,
    isSecretSealed
  }
}

const addressesOf = (deps: Deps) => [
  { id: 'redirect', label: 'Redirect address (callback)', value: callbackUrl(deps) },
  { id: 'logout', label: 'Back-channel logout address', value: `${deps.config.baseUrl}/sign-in/oidc/logout` },
  { id: 'after', label: 'Address after signing out', value: `${deps.config.baseUrl}/sign-in` }
]

const reasons: Record<string, string> = {
  absent: 'was missing',
  'too-many': 'was left out because the account is in too many groups',
  unreadable: 'was not a list of texts'
}

/** The newest sign-in whose groups claim said nothing. */
async function groupsTrouble({ db }: Deps, reply: FastifyReply, { provider: { inForce } }: SignInState) {
  if (!inForce?.groupsClaim) return null
  const [event] = await listEvents(db, { kind: 'groups-claim-missing' }, 1)
  if (event?.details.claim !== inForce.groupsClaim) return null
  const reason = reasons[String(event.details.why)] ?? 'said nothing'
  return {
    text: `The claim “${inForce.groupsClaim}” ${reason}`,
    at: showTime(event.at, viewerOf(reply.request).timeZone)
  }
}
