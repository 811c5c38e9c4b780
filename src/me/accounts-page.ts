import type { Db } from '../db/client.ts'
import { linkedAccountsOf } from '../sessions/provider-session-store.ts'
import { showTime } from '../web/dates.ts'

/** A person's accounts at the organization's provider, as /me and the person's page show them. */
export async function accountsView(db: Db, personId: number, timeZone: string) {
  const accounts = await linkedAccountsOf(db, personId)
  return accounts.map(({ issuer, email, linkedAt, lastUsedAt }) => ({
    issuer,
    email: email ?? 'none',
    since: showTime(linkedAt, timeZone),
    used: lastUsedAt ? showTime(lastUsedAt, timeZone) : null
  }))
}
