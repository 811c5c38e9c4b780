/** Logout tokens of a provider (OpenID Connect Back-Channel Logout 1.0). */
import * as jose from 'jose'
import { connectTo, fetchFor } from './connection.ts'
import { type Connection, fingerprintOf, type OidcDeps } from './settings.ts'

export interface LogoutToken {
  issuer: string
  jti: string
  /** The session at the provider; without it, all of the subject's end. */
  sid: string | undefined
  subject: string | undefined
}

/** The token is none of this provider's, or not for us; `message` says why. */
export class WrongLogoutToken extends Error {}

const event = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Checks a logout token (section 2.6), but for its single use. `exp` is not required, since several providers leave it out:
 * the age counts from `iat`.
 *
 * @throws WrongLogoutToken, or the connection's error when the provider's keys cannot be read.
 */
export async function readLogoutToken(deps: OidcDeps, connection: Connection, token: string): Promise<LogoutToken> {
  const { issuer, jwks_uri: keys } = (await connectTo(deps, connection)).serverMetadata()
  if (!keys) throw new WrongLogoutToken('The provider publishes no keys')
  const { payload, protectedHeader } = await jose
    .jwtVerify(token, keySetOf(deps, connection, keys), {
      issuer,
      audience: connection.clientId,
      algorithms: [connection.algorithm],
      clockTolerance: 60,
      maxTokenAge: '2 minutes',
      requiredClaims: ['jti', 'iat']
    })
    .catch(error => {
      throw error instanceof jose.errors.JOSEError && !(error instanceof jose.errors.JWKSTimeout)
        ? new WrongLogoutToken(error.message)
        : error
    })
  checkType(protectedHeader.typ)
  return claimsOf(issuer, payload)
}

const keySets = new Map<string, ReturnType<typeof jose.createRemoteJWKSet>>()

/** Kept for a minute: anyone may send tokens, and not each may cost the provider a request. */
function keySetOf(deps: OidcDeps, connection: Connection, url: string) {
  const key = `${fingerprintOf(connection)} ${url}`
  const known = keySets.get(key)
  if (known) return known
  if (keySets.size >= 20) keySets.clear()
  const fetch = fetchFor(deps, connection.issuer)
  const made = jose.createRemoteJWKSet(new URL(url), {
    timeoutDuration: 5000,
    cacheMaxAge: 60_000,
    cooldownDuration: 5000,
    [jose.customFetch]: fetch as jose.FetchImplementation
  })
  keySets.set(key, made)
  return made
}

/** Older providers send `JWT` or nothing; an ID token's type is the same, so the event decides. */
function checkType(type: string | undefined): void {
  const plain = type?.toLowerCase().replace(/^application\//, '')
  if (plain !== undefined && plain !== 'logout+jwt' && plain !== 'jwt')
    throw new WrongLogoutToken('It is not of the type logout+jwt')
}

function claimsOf(issuer: string, { events, nonce, jti, sid, sub }: jose.JWTPayload): LogoutToken {
  const isLogout = typeof events === 'object' && events !== null && Object.hasOwn(events, event)
  if (!isLogout) throw new WrongLogoutToken('It holds no logout event')
  if (nonce !== undefined) throw new WrongLogoutToken('It holds a nonce, as an ID token does')
  if (typeof jti !== 'string' || jti === '') throw new WrongLogoutToken('Its jti is missing')
  const [session, subject] = [sid, sub].map(value => (typeof value === 'string' && value !== '' ? value : undefined))
  if (session === undefined && subject === undefined)
    throw new WrongLogoutToken('It names neither a session nor a subject')
  return { issuer, jti, sid: session, subject }
}
