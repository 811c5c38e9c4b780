import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { lockPerson, requireRole } from '../people/store.ts'
import { notify } from '../sessions/notify.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import { deleteTotp, replaceRecoveryCodes } from './factor-store.ts'
import { deletePasskeys } from './passkeys-store.ts'

/** Takes everything that could be a second factor. False: there was nothing. */
export async function dropFactors(tx: Db, personId: number): Promise<boolean> {
  await replaceRecoveryCodes(tx, personId, [])
  const hadCodes = await deleteTotp(tx, personId)
  return (await deletePasskeys(tx, personId)) > 0 || hadCodes
}

/** For a person who has lost theirs; an owner has made sure who asks. Ends their sessions. */
export async function removeFactors(
  db: Database,
  ownerId: number,
  personId: number
): Promise<'removed' | 'unknown' | 'none'> {
  return transaction(db, async tx => {
    const person = await lockPerson(tx, personId)
    await requireRole(tx, ownerId, 'owner')
    if (!person) return 'unknown'
    if (!(await dropFactors(tx, personId))) return 'none'
    await deleteSessionsOf(tx, personId)
    await recordEvent(tx, { kind: 'factor-removed', actorId: ownerId, personId })
    await notify(tx, 'factor-off', personId)
    return 'removed'
  })
}
