import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { lockPerson, requireRole } from '../people/store.ts'
import { deleteProviderSessionsOf, linkedAccountsOf } from '../sessions/provider-session-store.ts'
import { unlinkAccounts } from './accounts-store.ts'

/** Separates a person from the provider's account and ends the sessions that began there. */
export async function unlinkAccount(
  db: Database,
  actorId: number,
  personId: number
): Promise<'done' | 'unknown' | 'no-account'> {
  return transaction(db, async tx => {
    const person = await lockPerson(tx, personId)
    await requireRole(tx, actorId, 'owner')
    if (!person) return 'unknown'
    const [account] = await linkedAccountsOf(tx, personId)
    if (!account) return 'no-account'
    await unlinkAccounts(tx, personId)
    const sessions = await deleteProviderSessionsOf(tx, personId)
    const details = { issuer: account.issuer, email: account.email, sessions }
    await recordEvent(tx, { kind: 'provider-unlinked', actorId, personId, details })
    return 'done'
  })
}
