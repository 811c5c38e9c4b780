import { changesBetween } from '../audit/change-event.ts'
import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import type { Log } from '../mail/delivery.ts'
import { decideCopy, startHold } from '../mail/origin.ts'
import { type Pacing, readPacing, writePacing } from '../mail/queue/gate-store.ts'
import type { Decision } from '../mail/queue/origin-store.ts'
import { lockSettings, organizationOf, updateLineDays } from '../organization/store.ts'
import { requireRole } from '../people/store.ts'

export async function changeMail(db: Database, actorId: number, changed: Pacing & { lineDays: number }): Promise<void> {
  await transaction(db, async tx => {
    await requireRole(tx, actorId, 'owner')
    await lockSettings(tx)
    const before = await mailValues(tx)
    await writePacing(tx, changed)
    await updateLineDays(tx, changed.lineDays)
    const details = changesBetween(before, await mailValues(tx))
    if (Object.keys(details).length > 0) await recordEvent(tx, { kind: 'mail-settings-changed', actorId, details })
  })
}

export async function mailValues(db: Db) {
  const [{ perSecond, perDomain }, { lineDays }] = [await readPacing(db), await organizationOf(db)]
  return { mails_per_second: perSecond, mails_per_second_per_domain: perDomain, keep_lines_days: lineDays }
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
