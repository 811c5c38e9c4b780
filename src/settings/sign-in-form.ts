import { isOneOf } from '../lib/known.ts'
import { readName } from '../lib/name.ts'
import { type Connection, defaultName, type OidcDeps, type Provider, type ProviderState } from '../oidc/settings.ts'
import type { Place, ProviderRow } from '../oidc/settings-store.ts'
import { readDomains } from '../organization/organization.ts'
import type { SignInRules } from '../sessions/rules-store.ts'
import type { FieldErrors } from '../web/forms.ts'
import { readConnection } from './read-connection.ts'
import { readTeamLines } from './team-lines.ts'

export const connectionFields = ['oidc_issuer', 'oidc_client_id', 'oidc_client_secret', 'oidc_algorithm'] as const
export const signInFields = [
  ...connectionFields,
  'oidc',
  'oidc_name',
  'oidc_trusted_domains',
  'oidc_join',
  'oidc_groups_claim',
  'oidc_teams',
  'ldap',
  'passwords',
  'second_factor'
] as const
export type SignInField = (typeof signInFields)[number]
/** A field that was not sent keeps its value. */
export type SignInFields = Partial<Record<SignInField, string>>

export interface SignInState {
  provider: ProviderState
  rows: Partial<Record<Place, ProviderRow>>
  rules: SignInRules
  isLdapLocked: boolean
  domains: string[]
  teams: string[]
}

const savedOf = ({ provider, rows }: Pick<SignInState, 'provider' | 'rows'>) =>
  provider.isLocked ? provider.inForce : (rows.candidate ?? rows.inForce)

/** What was saved last: of the candidate, else of the provider in force. Without the secret. */
export function valuesOf({ provider, rows, rules, isLdapLocked }: SignInState): Record<SignInField, string> {
  const saved = savedOf({ provider, rows })
  return {
    oidc: provider.inForce ? 'on' : 'off',
    oidc_issuer: saved?.issuer ?? '',
    oidc_client_id: saved?.clientId ?? '',
    oidc_client_secret: '',
    oidc_algorithm: saved?.algorithm ?? 'RS256',
    oidc_name: saved?.name ?? defaultName,
    oidc_trusted_domains: saved?.trustedDomains.join('\n') ?? '',
    oidc_join: saved?.joining ?? 'invited',
    oidc_groups_claim: saved?.groupsClaim ?? '',
    oidc_teams: saved?.teams.map(({ value, team }) => `${value} = ${team}`).join('\n') ?? '',
    ldap: isLdapLocked || rules.directoryPasswords ? 'on' : 'off',
    passwords: rules.passwords,
    second_factor: rules.secondFactor
  }
}

/** The environment variable that sets a field; undefined where the form does. */
export function lockedBy(field: SignInField, { provider, isLdapLocked }: SignInState): string | undefined {
  const variables: Partial<Record<SignInField, string | false>> = {
    oidc: provider.isLocked && 'OIDC_ISSUER',
    oidc_issuer: provider.isLocked && 'OIDC_ISSUER',
    oidc_client_id: provider.isLocked && 'OIDC_CLIENT_ID',
    oidc_client_secret: provider.isLocked && 'OIDC_CLIENT_SECRET',
    oidc_name: provider.isNameLocked && 'OIDC_NAME',
    ldap: isLdapLocked && 'LDAP_SIGN_IN'
  }
  return variables[field] || undefined
}

export interface ReadSignIn {
  errors: FieldErrors
  /** Undefined: none was sent, or the provider's settings are to be removed. */
  connection: Connection | undefined
  isRemoval: boolean
  details: Omit<Provider, keyof Connection>
  rules: SignInRules
  oidc: 'on' | 'off' | undefined
}

export function readSignIn(deps: OidcDeps, fields: SignInFields, state: SignInState): ReadSignIn {
  const errors: FieldErrors = {}
  const present = valuesOf(state)
  const values = { ...present, ...fields }
  for (const field of signInFields) {
    const [sent, variable] = [fields[field], lockedBy(field, state)]
    if (sent === undefined || !variable) continue
    const known = field === 'oidc_client_secret' ? state.provider.inForce?.clientSecret : present[field]
    if (sent.trim() !== '' && sent !== known) errors[field] = `This is set by ${variable} in the environment.`
    values[field] = present[field]
  }
  const isSent = connectionFields.some(field => fields[field] !== undefined)
  const isBlank = values.oidc_issuer.trim() === '' && values.oidc_client_id.trim() === ''
  const isRemoval = isSent && isBlank && values.oidc_client_secret.trim() === ''
  if (isRemoval && state.provider.inForce && !state.rows.candidate) errors.oidc_issuer ??= offFirst
  return {
    errors,
    connection: isSent && !isRemoval ? readConnection(deps, values, state, errors) : undefined,
    isRemoval,
    details: readDetails(values, fields, state, errors),
    rules: readRules(values, fields, state, errors),
    oidc: readSwitch(fields.oidc, state, errors)
  }
}

const offFirst = 'Turn the provider off before you remove its settings.'

export type Values = Record<SignInField, string>

function readDetails(
  values: Values,
  sent: SignInFields,
  state: SignInState,
  errors: FieldErrors
): ReadSignIn['details'] {
  const saved = savedOf(state)
  const { oidc_join: joining } = values
  const name = readName(values.oidc_name || defaultName)
  if (name === undefined || name.length > 100) errors.oidc_name ??= 'Enter up to 100 characters.'
  if (joining !== 'invited' && joining !== 'domains') errors.oidc_join ??= 'Choose who may join.'
  const { names: trustedDomains, wrong } = readDomains(values.oidc_trusted_domains)
  const foreign = [...wrong, ...trustedDomains.filter(each => !state.domains.includes(each))]
  if (sent.oidc_trusted_domains !== undefined && foreign.length > 0)
    errors.oidc_trusted_domains ??= `Not a domain of your organization: ${foreign.slice(0, 3).join(', ').slice(0, 200)}`
  const groupsClaim = values.oidc_groups_claim.trim() || null
  if (groupsClaim && !/^\S{1,200}$/.test(groupsClaim)) errors.oidc_groups_claim ??= 'Enter the name of one claim.'
  const read = readTeamLines(values.oidc_teams, state.teams)
  const isKept = sent.oidc_teams === undefined
  if (read.problem && !isKept) errors.oidc_teams ??= read.problem
  const teams = isKept ? (saved?.teams ?? []) : read.teams
  if (teams.length > 0 && groupsClaim === null)
    errors.oidc_groups_claim ??= 'Enter the claim that has the values below.'
  return {
    name: name ?? defaultName,
    trustedDomains,
    joining: joining === 'domains' ? 'domains' : 'invited',
    groupsClaim,
    teams
  }
}

function readRules(values: Values, { ldap }: SignInFields, { rules, isLdapLocked }: SignInState, errors: FieldErrors) {
  const { passwords, second_factor: secondFactor } = values
  const isKnown = isOneOf(['off', 'admins', 'everybody'] as const, secondFactor)
  if (!['on', 'off'].includes(values.ldap)) errors.ldap ??= 'Choose on or off.'
  if (passwords !== 'everybody' && passwords !== 'owners') errors.passwords ??= 'Choose who may use a password.'
  if (!isKnown) errors.second_factor ??= 'Choose who needs a second factor.'
  return {
    ...rules,
    passwords: passwords === 'owners' ? ('owners' as const) : ('everybody' as const),
    secondFactor: isKnown ? secondFactor : rules.secondFactor,
    directoryPasswords: ldap === undefined || isLdapLocked ? rules.directoryPasswords : ldap === 'on'
  }
}

function readSwitch(oidc: string | undefined, state: SignInState, errors: FieldErrors) {
  if (oidc === undefined || oidc === '' || lockedBy('oidc', state)) return undefined
  if (oidc === 'on' || oidc === 'off') return oidc
  errors.oidc = 'Choose on or off.'
  return undefined
}
