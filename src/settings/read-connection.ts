import { keysOf } from '../config/env.ts'
import { issuerProblem, withoutDocument } from '../config/oidc.ts'
import { idTokenAlgorithms } from '../db/schema.ts'
import { isOneOf } from '../lib/known.ts'
import { type Connection, type OidcDeps, openClientSecret } from '../oidc/settings.ts'
import type { ProviderRow } from '../oidc/settings-store.ts'
import type { FieldErrors } from '../web/forms.ts'
import type { SignInState, Values } from './sign-in-form.ts'

export function readConnection(deps: OidcDeps, values: Values, state: SignInState, errors: FieldErrors): Connection {
  const { oidc_algorithm: algorithm } = values
  const issuer = withoutDocument(values.oidc_issuer.trim())
  const clientId = values.oidc_client_id.trim()
  if (!isOneOf(idTokenAlgorithms, algorithm)) errors.oidc_algorithm = 'Choose one of the algorithms.'
  const known = isOneOf(idTokenAlgorithms, algorithm) ? algorithm : 'RS256'
  if (state.provider.isLocked && state.provider.inForce) return { ...state.provider.inForce, algorithm: known }
  const problem = issuer === '' || issuer.length > 1000 ? 'must be the issuer of your provider' : issuerProblem(issuer)
  if (problem) errors.oidc_issuer ??= `This ${problem}.`
  if (!/^[\x21-\x7e]{1,500}$/.test(clientId)) errors.oidc_client_id ??= 'Enter the client ID, without blanks.'
  const typed = values.oidc_client_secret.trim()
  if (typed.length > 2000) errors.oidc_client_secret ??= 'This is longer than 2,000 characters.'
  const clientSecret = typed || secretFor(deps, { issuer, clientId }, state, errors)
  return { issuer, clientId, clientSecret, algorithm: known }
}

/** S13: a secret that was typed for one issuer is sent to no other. */
function secretFor(
  { config, secretKey }: OidcDeps,
  { issuer, clientId }: Pick<Connection, 'issuer' | 'clientId'>,
  { rows }: SignInState,
  errors: FieldErrors
): string {
  const isForThis = (row: ProviderRow | undefined) => row?.issuer === issuer && row.clientId === clientId
  const saved = [rows.candidate, rows.inForce].find(isForThis)
  if (!saved) {
    if ((rows.candidate ?? rows.inForce)?.clientSecret) errors.oidc_client_secret ??= otherIssuer
    return ''
  }
  const secret = openClientSecret(keysOf({ config, secretKey }), saved)
  if (secret === undefined) errors.oidc_client_secret ??= unreadable
  return secret ?? ''
}

const otherIssuer = 'Enter the client secret again: the saved one is for another issuer or client.'
const unreadable = 'Enter the client secret again: the stored one cannot be read with the current SECRET_KEY.'
