import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { cancelQueued, findSuppression, liftSuppression, optOut } from '../mail/store.ts'
import { lockPerson, requireRole } from '../people/store.ts'

/** Ends invitations to a person because they say so; saying it twice is saying it once. False for an unknown person. */
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

/** Lets invitations through to a person again, because an admin says so. */
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
