import { changesBetween, type Details } from '../audit/change-event.ts'
import { recordEvent } from '../audit/store.ts'
import { type Db, transaction } from '../db/client.ts'
import { fingerprintOf, type OidcDeps, readProvider } from '../oidc/settings.ts'
import { lockProviders, readProviderRows } from '../oidc/settings-store.ts'
import { organizationOf } from '../organization/store.ts'
import { requireRole } from '../people/store.ts'
import { findProviderSession } from '../sessions/provider-session-store.ts'
import { readRules, writeRules } from '../sessions/rules-store.ts'
import { teamNames } from '../teams/store.ts'
import type { FieldErrors } from '../web/forms.ts'
import { type Plan, planOf } from './provider-plan.ts'
import { applyPlan } from './provider-rows.ts'
import { type ReadSignIn, readSignIn, type SignInFields, type SignInState, valuesOf } from './sign-in-form.ts'

export async function signInState(deps: OidcDeps, tx: Db = deps.db): Promise<SignInState> {
  return {
    provider: await readProvider(deps, tx),
    rows: await readProviderRows(tx),
    rules: await readRules(tx),
    isLdapLocked: deps.config.ldapSignIn,
    domains: (await organizationOf(tx)).domains,
    teams: await teamNames(tx, 100_000)
  }
}

type Outcome = { errors: FieldErrors } | { plan: Plan }

/** Everything takes effect at once, except how the provider is reached: that waits for a test and for an owner. */
export async function changeSignIn(
  deps: OidcDeps,
  { id: actorId, sessionId }: { id: number; sessionId: number },
  fields: SignInFields
): Promise<Outcome> {
  return transaction(deps.db, async tx => {
    await requireRole(tx, actorId, 'owner')
    await lockProviders(tx)
    const state = await signInState(deps, tx)
    const read = readSignIn(deps, fields, state)
    const plan = planOf(read, fields, state)
    const session = await findProviderSession(tx, sessionId)
    const errors = { ...plan.errors, ...passwordErrors(read, plan, state, session?.issuer), ...read.errors }
    if (Object.keys(errors).length > 0) return { errors }
    await applyPlan(deps, tx, plan, read, state)
    await writeRules(tx, read.rules)
    const details = detailsOf(state, await signInState(deps, tx), read)
    if (Object.keys(details).length > 0) await recordEvent(tx, { kind: 'sign-in-settings-changed', actorId, details })
    return { plan }
  })
}

const withoutSlash = (issuer: string) => issuer.replace(/\/$/, '')

/** Only an owner who came over this very provider can limit passwords, so that the organization is not locked out. */
function passwordErrors(
  { rules }: ReadSignIn,
  { after }: Plan,
  state: SignInState,
  issuer: string | undefined
): FieldErrors {
  if (rules.passwords !== 'owners') return {}
  const { inForce } = state.provider
  if (state.rules.passwords === 'owners') {
    if (after === null && inForce) return { oidc: 'Allow passwords for everybody before you turn the provider off.' }
    if (after && inForce && withoutSlash(after.issuer) !== withoutSlash(inForce.issuer))
      return { oidc: 'Allow passwords for everybody first: no one has signed in over the new provider yet.' }
    return {}
  }
  if (after === null) return { passwords: 'Turn a provider on, sign in over it, and then limit passwords to owners.' }
  if (issuer !== undefined && withoutSlash(issuer) === withoutSlash(after.issuer)) return {}
  return {
    passwords:
      'Sign out, sign in again with your organization’s account, and then limit passwords: only an owner who came over this provider can, so that no one is locked out.'
  }
}

function detailsOf(before: SignInState, after: SignInState, { connection }: ReadSignIn): Details {
  const [one, other] = [before.provider.inForce, after.provider.inForce]
  const saved = before.provider.candidate ?? one
  const isNewSecret = connection !== undefined && connection.clientSecret !== (saved?.clientSecret ?? '')
  const isReplaced = one && other && fingerprintOf(one) !== fingerprintOf(other)
  return {
    ...changesBetween<Record<string, string>>(valuesOf(before), valuesOf(after)),
    ...(isNewSecret && { oidc_client_secret: 'changed' }),
    ...(isReplaced && { oidc: { before: `on at ${one.issuer}`, after: `on at ${other.issuer} with new settings` } })
  }
}
