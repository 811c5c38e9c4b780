/** Discovery (OpenID Connect Discovery 1.0), and how Rollcall proves itself to the provider. */
import * as client from 'openid-client'
import { idTokenAlgorithms } from '../db/schema.ts'
import { type OutboundFetch, outboundFetch } from '../outbound/fetch.ts'
import { allowedFor, type Connection, fingerprintOf, type OidcDeps } from './settings.ts'

const freshMs = 10 * 60_000
const known = new Map<string, { at: number; made: Promise<client.Configuration> }>()

/** The configuration of a provider; kept for ten minutes, so that a new signing key or endpoint is noticed. */
export function connectTo(deps: OidcDeps, connection: Connection): Promise<client.Configuration> {
  const key = fingerprintOf(connection)
  const before = known.get(key)
  if (before && Date.now() - before.at < freshMs) return before.made
  if (known.size >= 20) known.clear()
  const made = discover(connection, fetchFor(deps, connection.issuer))
  known.set(key, { at: Date.now(), made })
  made.catch(() => known.delete(key))
  return made
}

/** The next sign-in reads the provider's keys again. */
export const forgetConnection = (connection: Connection) => void known.delete(fingerprintOf(connection))

export const fetchFor = (deps: OidcDeps, issuer: string): OutboundFetch =>
  outboundFetch({ allow: allowedFor(deps, issuer), ...(deps.resolve && { resolve: deps.resolve }) })

async function discover(connection: Connection, fetch: OutboundFetch): Promise<client.Configuration> {
  const { issuer } = connection
  try {
    return await discoverAt(issuer, connection, fetch)
  } catch (error) {
    // with a path, a final slash is part of the issuer, and people rarely know whether theirs has one
    if (!isOtherIssuer(error) || new URL(issuer).pathname === '/') throw error
    return discoverAt(issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`, connection, fetch)
  }
}

const isOtherIssuer = (error: unknown) =>
  error instanceof client.ClientError && error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'

async function discoverAt(issuer: string, { clientId, clientSecret, algorithm }: Connection, fetch: OutboundFetch) {
  const isPlain = issuer.startsWith('http:')
  const options = {
    timeout: 5,
    [client.customFetch]: fetch as client.CustomFetch,
    execute: isPlain ? [client.allowInsecureRequests] : []
  }
  const found = await client.discovery(new URL(issuer), clientId, undefined, undefined, options)
  const server = found.serverMetadata()
  if (server.issuer.includes('{tenantid}')) throw new AnyTenant()
  // leeway is client metadata; among the options it would be ignored
  const metadata = { id_token_signed_response_alg: algorithm, [client.clockTolerance]: 60 }
  // some providers sign userinfo without announcing it
  Object.assign(server, { userinfo_signing_alg_values_supported: [...idTokenAlgorithms] })
  const configuration = new client.Configuration(server, clientId, metadata, proofFor(server, clientSecret))
  configuration.timeout = 5
  configuration[client.customFetch] = fetch as client.CustomFetch
  if (isPlain) client.allowInsecureRequests(configuration)
  // without it, the signature of an ID token from the token endpoint is not checked
  client.enableNonRepudiationChecks(configuration)
  return configuration
}

/** The issuer takes accounts of every organization. */
export class AnyTenant extends Error {}

/** Post before basic: basic encodes signs that some providers do not decode. No list means basic (RFC 8414, section 2). */
function proofFor({ token_endpoint_auth_methods_supported: methods }: client.ServerMetadata, secret: string) {
  if (secret === '') return client.None()
  return methods?.includes('client_secret_post') ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret)
}
