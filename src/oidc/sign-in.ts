/** To the provider and back: the authorization code flow with PKCE (RFC 7636, RFC 9700). */
import { createHash, randomBytes } from 'node:crypto'
import * as client from 'openid-client'
import { signatureFor } from '../lib/secrets/token.ts'
import { type AttemptRow, insertAttempt, type NewAttempt, takeAttempt } from './attempts-store.ts'
import { connectTo, forgetConnection } from './connection.ts'
import { type Claims, checkToken, type Identity, identityOf, type Said } from './identity.ts'
import { type Connection, callbackUrl, fingerprintOf, type OidcDeps, type Provider } from './settings.ts'

export interface Beginning extends Pick<NewAttempt, 'purpose' | 'personId' | 'invitationHash' | 'next'> {
  browser: string
  /** Rollcall itself starts once more, because the provider has changed its keys. */
  isSecond?: boolean
}

const secondMark = '.2'

const hashOf = (text: string) => createHash('sha256').update(text).digest()

/** Where to send the browser. Nonce and verifier are made from the state and the key, so that no row holds a secret. */
export async function beginSignIn(
  deps: OidcDeps,
  connection: Connection,
  { browser, isSecond = false, ...attempt }: Beginning
): Promise<URL> {
  const configuration = await connectTo(deps, connection)
  const state = `${randomBytes(32).toString('base64url')}${isSecond ? secondMark : ''}`
  const { nonce, verifier } = secretsOf(deps, state)
  await insertAttempt(deps.db, {
    ...attempt,
    stateHash: hashOf(state),
    browserHash: hashOf(browser),
    provider: fingerprintOf(connection)
  })
  return client.buildAuthorizationUrl(configuration, {
    redirect_uri: callbackUrl(deps),
    scope: 'openid email profile',
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256'
  })
}

const secretsOf = ({ secretKey }: OidcDeps, state: string) => ({
  nonce: signatureFor(secretKey, 'oidc nonce', state),
  verifier: signatureFor(secretKey, 'oidc verifier', state)
})

/** The attempt that an answer belongs to; undefined when it is not this browser's, was used or is too old. */
export async function findAttempt(
  { db }: OidcDeps,
  state: string | undefined,
  browser: string | undefined
): Promise<AttemptRow | undefined> {
  if (!state || !browser) return undefined
  return takeAttempt(db, hashOf(state), hashOf(browser))
}

/** A key that the provider began to use within a minute of the last look at its keys; the code is spent by now. */
export const isWorthASecond = (error: unknown, state: string | undefined): boolean =>
  error instanceof client.ClientError && error.code === 'OAUTH_KEY_SELECTION_FAILED' && !state?.endsWith(secondMark)

export interface Answer {
  identity: Identity
  said: Said
  idToken: string
}

/**
 * Exchanges the code and checks everything that the provider says. `query`: of the callback, as it came.
 *
 * @throws the library's errors and WrongToken; `faultOf` puts them into words.
 */
export async function finishSignIn(deps: OidcDeps, provider: Provider, query: string): Promise<Answer> {
  const configuration = await connectTo(deps, provider)
  const back = new URL(`${callbackUrl(deps)}?${query}`)
  const state = back.searchParams.get('state') ?? ''
  const { nonce, verifier } = secretsOf(deps, state)
  const tokens = await client
    .authorizationCodeGrant(configuration, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true
    })
    .catch(error => {
      forgetConnection(provider)
      throw error
    })
  const claims: Claims = { ...tokens.claims() }
  checkToken({ claims, userinfo: {} }, provider)
  const userinfo = await readUserinfo(configuration, tokens.access_token, String(claims.sub))
  const said = { claims, userinfo }
  return { identity: identityOf(said, provider), said, idToken: tokens.id_token ?? '' }
}

/** Many providers put address and groups only there. */
async function readUserinfo(
  configuration: client.Configuration,
  accessToken: string,
  subject: string
): Promise<Claims> {
  if (!configuration.serverMetadata().userinfo_endpoint) return {}
  return { ...(await client.fetchUserInfo(configuration, accessToken, subject)) }
}

/** Where signing out at the provider happens (OpenID Connect RP-Initiated Logout 1.0); undefined: it offers none. */
export async function signOutUrl(deps: OidcDeps, connection: Connection, idToken: string): Promise<URL | undefined> {
  const configuration = await connectTo(deps, connection)
  if (!configuration.serverMetadata().end_session_endpoint) return undefined
  return client.buildEndSessionUrl(configuration, {
    id_token_hint: idToken,
    post_logout_redirect_uri: `${deps.config.baseUrl}/sign-in`
  })
}
