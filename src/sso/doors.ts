/** The ways in beside a Rollcall password, as the pages of signing in and joining offer them. */
import { directoryPasswordCheck } from '../directory/password-check.ts'
import { passkeySite } from '../lib/passkey-site.ts'
import { directorySignInOn } from '../oidc/organization-sign-in.ts'
import { readProvider } from '../oidc/settings.ts'
import { signOutUrl } from '../oidc/sign-in.ts'
import { anyPasskey } from '../second-factor/passkeys-store.ts'
import type { Doors } from '../sessions/doors.ts'
import { findProviderSession } from '../sessions/provider-session-store.ts'
import type { Deps } from '../web/deps.ts'
import { openIdToken } from './id-token.ts'

export function doorsOf(deps: Deps): Doors {
  const checkDirectory = directoryPasswordCheck(deps)
  return {
    directory: async () => ((await directorySignInOn(deps)) ? checkDirectory : undefined),
    provider: async () => (await readProvider(deps)).inForce?.name,
    passkeys: async () => passkeySite(deps.config.baseUrl) !== undefined && anyPasskey(deps.db),
    signOutAt: sessionId => signOutAt(deps, sessionId)
  }
}

/** A provider that does not answer keeps no one signed in here. */
async function signOutAt(deps: Deps, sessionId: number): Promise<URL | undefined> {
  const session = await findProviderSession(deps.db, sessionId)
  const { inForce } = await readProvider(deps)
  const idToken = session && openIdToken(deps, session)
  if (!inForce || idToken === undefined) return undefined
  return signOutUrl(deps, inForce, idToken).catch(() => undefined)
}
