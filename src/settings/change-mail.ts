import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import type { Log } from '../mail/delivery.ts'
import { decideCopy, startHold } from '../mail/origin.ts'
import { type Pacing, writePacing } from '../mail/queue/gate-store.ts'
import type { Decision } from '../mail/queue/origin-store.ts'
import { updateLineDays } from '../organization/store.ts'
import { requireRole } from '../people/store.ts'

export async function changeMail(db: Database, actorId: number, changed: Pacing & { lineDays: number }): Promise<void> {
  await transaction(db, async tx => {
    await requireRole(tx, actorId, 'owner')
    await writePacing(tx, changed)
    await updateLineDays(tx, changed.lineDays)
    await recordEvent(tx, { kind: 'mail-settings-changed', actorId, details: { ...changed } })
  })
}

/** False when there is nothing to decide. */
export async function decideMailOfCopy(
  { db, secretKey }: { db: Database; secretKey: Buffer },
  actorId: number,
  act: Decision,
  log: Log
): Promise<boolean> {
  const isDecided = await transaction(db, async tx => {
    const isDone = await decideCopy(tx, secretKey, actorId, act)
    // afterwards, since deciding waits for the worker that moves emails
    await requireRole(tx, actorId, 'owner')
    return isDone
  })
  if (isDecided) await startHold(db, log)
  return isDecided
}
