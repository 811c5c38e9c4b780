/** Ways in that higher folders implement: app.ts passes them to the pages that offer them. */
import type { CheckDirectoryPassword } from './directory-sign-in.ts'

export interface Doors {
  /** Checks the directory's password; undefined while people do not sign in with it. */
  directory: () => Promise<CheckDirectoryPassword | undefined>
  /** The words on the provider's button; undefined while there is no provider. */
  provider: () => Promise<string | undefined>
  /** Whether some user can sign in with a passkey. */
  passkeys: () => Promise<boolean>
  /** Where a session of the provider ends there as well; undefined: nowhere. */
  signOutAt: (sessionId: number) => Promise<URL | undefined>
}
