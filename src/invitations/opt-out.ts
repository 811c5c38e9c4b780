import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { cancelQueued, findSuppression, liftSuppression, optOut } from '../mail/store.ts'
import { lockPerson, requireRole } from '../people/store.ts'

/** Ends invitations to a person at their request; repeating it changes nothing. False for an unknown person. */
export async function stopMailTo(db: Database, personId: number): Promise<boolean> {
  return transaction(db, async tx => {
    const person = await lockPerson(tx, personId)
    if (!person) return false
    if (await findSuppression(tx, person.addressKey)) return true
    await optOut(tx, person.addressKey)
    await cancelQueued(tx, { personId }, 'the person opted out')
    await recordEvent(tx, { kind: 'opted-out', actorId: null, personId })
    return true
  })
}

/** Lets an admin allow invitations to a person again. */
export async function allowMailTo(
  db: Database,
  actorId: number,
  personId: number
): Promise<'allowed' | 'unknown' | 'was-allowed'> {
  return transaction(db, async tx => {
    const person = await lockPerson(tx, personId)
    if (!person) return 'unknown'
    await requireRole(tx, actorId, 'admin')
    if (!(await liftSuppression(tx, person.addressKey))) return 'was-allowed'
    await recordEvent(tx, { kind: 'suppression-lifted', actorId, personId })
    return 'allowed'
  })
}
