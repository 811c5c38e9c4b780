import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import { endWithInviters } from '../invitations/replace-links.ts'
import { cancelQueued } from '../mail/store.ts'
import { deactivatePeople, peopleWithMail, withoutLastOwner } from './leavers-store.ts'

/**
 * Deactivates leavers: their sessions end with this transaction, their open invitations are revoked and mails that have
 * not left are canceled, and so are the invitations that they typed by hand; links that they saw are replaced. The last
 * owner stays. Returns who was deactivated; one event for all of them.
 */
export async function deactivateLeavers(tx: Db, ids: number[], actorId: number | null): Promise<number[]> {
  if (ids.length === 0) return []
  const leavers = await withoutLastOwner(tx, ids)
  await deactivatePeople(tx, leavers)
  await endWithInviters(tx, leavers, 'typed')
  for (const personId of await peopleWithMail(tx, leavers))
    await cancelQueued(tx, { personId }, 'the person has left the directory')
  if (leavers.length > 0)
    await recordEvent(tx, { kind: 'leavers-deactivated', actorId, details: { people: leavers.length } })
  return leavers
}
