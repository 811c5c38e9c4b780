/** `OIDC_*`: the organization's provider, as far as the environment says it. */
import { type Complain, isLoopback, isUrl, type Read } from './values.ts'

export interface OidcEnvironment {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly name: string | undefined
}

/** undefined: the console says it. Issuer, client and secret come together. */
export function oidcEnvironment(read: Read, complain: Complain): OidcEnvironment | undefined {
  const name = read('OIDC_NAME')
  const given = {
    OIDC_ISSUER: read('OIDC_ISSUER'),
    OIDC_CLIENT_ID: read('OIDC_CLIENT_ID'),
    OIDC_CLIENT_SECRET: read('OIDC_CLIENT_SECRET')
  }
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = given
  if (issuer !== undefined && clientId !== undefined && clientSecret !== undefined) {
    const problem = issuerProblem(issuer)
    if (problem) complain('OIDC_ISSUER', problem)
    return Object.freeze({ issuer: withoutDocument(issuer), clientId, clientSecret, name })
  }
  const present = Object.entries(given).find(([, value]) => value !== undefined)?.[0]
  for (const [variable, value] of Object.entries(given))
    if (present && value === undefined) complain(variable, `is required with ${present}`)
  return undefined
}

/** Why this cannot be an issuer (OpenID Connect Discovery 1.0, section 3), as the end of a sentence; undefined: it can. */
export function issuerProblem(text: string): string | undefined {
  if (/\s/.test(text) || !isUrl(text, ['https:', 'http:'])) return 'must be a URL like https://login.example.org'
  const { protocol, hostname, username, password, search, hash, pathname } = new URL(text)
  if (username || password) return 'has a user name or a password in it'
  if (search || hash) return 'must have no query and no fragment'
  if (protocol === 'http:' && !isLoopback(hostname)) return 'must start with https://'
  if (hostname === 'login.microsoftonline.com' && /^\/(common|organizations|consumers)(\/|$)/.test(pathname))
    return 'accepts accounts of any organization: use your tenant’s ID in place of “common” or “organizations”'
  return undefined
}

/** People paste the address of the discovery document; with it the issuer would not be checked. */
export const withoutDocument = (issuer: string) =>
  issuer.replace(/\/\.well-known\/(openid-configuration|oauth-authorization-server)\/?$/, '')
