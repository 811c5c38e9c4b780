/** The effective settings of the provider: the environment's where set, else the console's. */
import { createHash } from 'node:crypto'
import { type Config, keysOf } from '../config/env.ts'
import { isLoopback } from '../config/values.ts'
import type { Database, Db } from '../db/client.ts'
import type { idTokenAlgorithms } from '../db/schema.ts'
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'
import { hostAndPort, type OutboundOptions } from '../outbound/fetch.ts'
import { type ProviderRow, readProviderRows } from './settings-store.ts'

export type IdTokenAlgorithm = (typeof idTokenAlgorithms)[number]

export interface OidcDeps {
  config: Config
  db: Database
  secretKey: Buffer
  resolve?: OutboundOptions['resolve']
}

/** How the provider is reached: a test is valid for exactly these. */
export interface Connection {
  issuer: string
  clientId: string
  /** Empty: a public client. */
  clientSecret: string
  algorithm: IdTokenAlgorithm
}

export interface Provider extends Connection {
  name: string
  /** Domains for which its addresses count as verified. */
  trustedDomains: string[]
  joining: 'invited' | 'domains'
  groupsClaim: string | null
  teams: { value: string; team: string }[]
}

export interface ProviderState {
  inForce: Provider | null
  candidate: (Provider & { isTested: boolean }) | null
  /** Issuer, client and secret come from the environment. */
  isLocked: boolean
  isNameLocked: boolean
  isSecretSealed: boolean
}

type SecretOwner = Pick<ProviderRow, 'id' | 'clientId' | 'secretFor'>

/** Bound to its row, client and issuer: copied to another, it cannot be opened (S13, S15). */
const placeOf = ({ id, clientId, secretFor }: SecretOwner) => ({
  table: 'oidc_providers',
  id,
  column: `client_secret ${JSON.stringify([clientId, secretFor])}`
})

/** Null: a public client has none. */
export const sealClientSecret = (secretKey: Buffer, owner: SecretOwner, secret: string): Buffer | null =>
  secret === '' ? null : sealSecret(secretKey, placeOf(owner), secret)

export function openClientSecret(keys: readonly Buffer[], row: ProviderRow): string | undefined {
  const { clientSecret } = row
  if (!clientSecret) return ''
  if (row.secretFor !== row.issuer) return undefined
  return keys.map(key => openSecret(key, placeOf(row), clientSecret)).find(secret => secret !== undefined)
}

/** Reads the effective settings. */
export async function readProvider(deps: OidcDeps, tx: Db = deps.db): Promise<ProviderState> {
  const { oidc } = deps.config
  const rows = await readProviderRows(tx)
  if (oidc) {
    const own = rows.inForce
    const name = oidc.name ?? own?.name ?? defaultName
    const { issuer, clientId, clientSecret } = oidc
    const inForce = { ...detailsOf(own), issuer, clientId, clientSecret, name }
    return { inForce, candidate: null, isLocked: true, isNameLocked: oidc.name !== undefined, isSecretSealed: false }
  }
  // a row without a test only keeps what was set beside a provider of the environment
  const isTested = rows.inForce?.testedAt !== null
  const [inForce, candidate] = [isTested ? opened(deps, rows.inForce) : undefined, opened(deps, rows.candidate)]
  return {
    inForce: inForce ?? null,
    candidate: candidate ? { ...candidate, isTested: rows.candidate?.testedAt !== null } : null,
    isLocked: false,
    isNameLocked: false,
    isSecretSealed: (isTested && rows.inForce && !inForce) || (rows.candidate && !candidate) || false
  }
}

export const defaultName = 'Sign in with your organization’s account'

function detailsOf(row: ProviderRow | undefined) {
  const { algorithm = 'RS256', trustedDomains = [], joining = 'invited', groupsClaim = null, teams = [] } = row ?? {}
  return { algorithm, trustedDomains, joining, groupsClaim, teams }
}

function opened(deps: OidcDeps, row: ProviderRow | undefined): Provider | undefined {
  const clientSecret = row && openClientSecret(keysOf(deps), row)
  if (!row || clientSecret === undefined) return undefined
  const { issuer, clientId, name } = row
  return { ...detailsOf(row), issuer, clientId, clientSecret, name }
}

/** Names a connection: settings with another fingerprint need another test. */
export function fingerprintOf({ issuer, clientId, clientSecret, algorithm }: Connection): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, clientId, clientSecret, algorithm]))
    .digest('base64url')
}

/**
 * Where requests for this provider may reach a private address: at an issuer that the operator set, and on this machine
 * while Rollcall itself is only reached there (S12). Loopback must be written plainly.
 */
export function allowedFor({ config }: Pick<OidcDeps, 'config'>, issuer: string): string[] {
  const url = new URL(issuer)
  const isPlain = isLoopback(url.hostname) && issuer.startsWith(url.origin)
  const isTrial = isPlain && isLoopback(new URL(config.baseUrl).hostname)
  return config.oidc?.issuer === issuer || isTrial ? [hostAndPort(url)] : []
}

/** Every address is written by us: a request's headers decide none. */
export const callbackUrl = ({ config }: Pick<OidcDeps, 'config'>) => `${config.baseUrl}/sign-in/oidc/callback`
