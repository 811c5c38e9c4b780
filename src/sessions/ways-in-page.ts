import type { Database } from '../db/client.ts'
import { hrefOf } from '../web/list.ts'
import type { Doors } from './doors.ts'
import { readRules } from './rules-store.ts'

/** What a page of signing in offers: the provider's link, and the form for a password where it is of use. */
export async function waysIn(db: Database, doors: Doors, next: string, asksPassword = false) {
  const [provider, rules, directory, hasPasskeys] = await Promise.all([
    doors.provider(),
    readRules(db),
    doors.directory(),
    doors.passkeys()
  ])
  return {
    hasPasskeys,
    hasForm: provider === undefined || rules.passwords === 'everybody' || directory !== undefined || asksPassword,
    provider: provider ? { name: provider, href: hrefOf('/sign-in/oidc', {}, { next }) } : null
  }
}
