import { recordEvent } from '../../audit/store.ts'
import type { Db } from '../../db/client.ts'
import type { Reading } from '../../ldap/directory.ts'
import { receiptOf } from '../run.ts'
import { endRun, lockGroup, lockRun, schedule, type TakenRun } from '../run-store.ts'
import { findRun, isComparedLately, touchGroup } from '../store.ts'
import { clearStage } from './stage-store.ts'

/** Hours after which everyone is compared again, whatever the fingerprint says. */
const maxHours = 24

/** The fast path when nothing has changed since the last run. False when everyone has to be compared. */
export async function applyUnchanged(
  tx: Db,
  run: TakenRun,
  reading: Reading,
  fingerprint: string,
  intervalMinutes: number
): Promise<boolean> {
  const group = await lockGroup(tx, run.groupId)
  const locked = group && (await lockRun(tx, run.groupId, run.id))
  if (!group || locked?.state !== 'running' || locked.attempts !== run.attempts) return false
  const isSameGroup = group.name === reading.group.name && group.dn === reading.group.dn
  if (group.fingerprint !== fingerprint || !isSameGroup || group.lastGoodRunId === null) return false
  if (!(await isComparedLately(tx, group.id, maxHours))) return false
  const last = await findRun(tx, group.id, group.lastGoodRunId)
  if (last?.state !== 'done' || !last.receipt) return false
  const { after } = last.receipt
  await endRun(tx, run.id, { state: 'done', receipt: { ...last.receipt, ...receiptOf(reading), before: after, after } })
  await touchGroup(tx, group.id, run.id)
  await schedule(tx, group.id, intervalMinutes, false)
  const details = { group: group.name, groupId: group.id, added: 0, removed: 0, changed: 0 }
  if (locked.cause !== 'schedule') await recordEvent(tx, { kind: 'group-read', actorId: locked.startedBy, details })
  await clearStage(tx, run.id)
  return true
}
