import type { Config } from '../config/env.ts'
import type { Db } from '../db/client.ts'
import { readRules } from '../sessions/rules-store.ts'
import { type OidcDeps, readProvider } from './settings.ts'

/** Do people sign in with their directory's password? LDAP_SIGN_IN, or an owner in the console. */
export async function directorySignInOn({
  config,
  db
}: {
  config: Pick<Config, 'ldapSignIn'>
  db: Db
}): Promise<boolean> {
  return config.ldapSignIn || (await readRules(db)).directoryPasswords === true
}

/** Can people sign in with what their organization gave them? Only then groups are kept synced. */
export async function organizationSignInOn(deps: OidcDeps): Promise<boolean> {
  return (await directorySignInOn(deps)) || (await readProvider(deps)).inForce !== null
}
