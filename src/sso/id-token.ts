/** ID tokens at rest: kept sealed with the session, since signing out at the provider names them. */
import { keysOf } from '../config/env.ts'
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'
import type { OidcDeps } from '../oidc/settings.ts'
import type { ProviderSession } from '../sessions/provider-session-store.ts'

type Owner = Pick<ProviderSession, 'issuer' | 'subject'>

const placeOf = ({ issuer, subject }: Owner) => ({ table: 'sessions', id: 0, column: `id_token ${issuer} ${subject}` })

export const sealIdToken = ({ secretKey }: OidcDeps, owner: Owner, idToken: string): Buffer | null =>
  idToken === '' ? null : sealSecret(secretKey, placeOf(owner), idToken)

/** undefined: there is none, or none of the keys opens it. */
export function openIdToken(deps: OidcDeps, { idToken, ...owner }: ProviderSession): string | undefined {
  if (!idToken) return undefined
  return keysOf(deps)
    .map(key => openSecret(key, placeOf(owner), idToken))
    .find(text => text !== undefined)
}
