import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { mayLetGo } from '../../leavers/approve-leavers.ts'
import { deactivateLeavers } from '../../leavers/deactivate-leavers.ts'
import { leaversParked } from '../../leavers/leavers-store.ts'
import { askAbout } from '../../people/directory-checks-store.ts'
import { lockAddresses, lockOwners, requireRole } from '../../people/store.ts'
import {
  clearParkedDeactivations,
  forgetFingerprint,
  isWithin,
  noteApproval,
  noteDeactivations,
  noteUndo,
  putBack,
  removeParked
} from '../../sync/decisions-store.ts'
import { undoDays } from '../../sync/run.ts'
import { lockGroup, lockRun } from '../../sync/run-store.ts'
import { lockTeam } from '../../teams/store.ts'

export type DecideOutcome =
  /** `forOwner`: leavers that only an owner may deactivate; they wait with all other leavers. */
  { outcome: 'done'; people: number; forOwner: number } | { outcome: 'unknown' } | { outcome: 'wrong-state' }

/** Carries out the removals and deactivations on the run's list and no others. */
export async function approve(db: Database, actorId: number, groupId: number, runId: number): Promise<DecideOutcome> {
  return transaction(db, async tx => {
    const group = await lockGroup(tx, groupId)
    const run = group && (await lockRun(tx, groupId, runId))
    if (!group || !run) return { outcome: 'unknown' }
    if (run.state !== 'parked') return { outcome: 'wrong-state' }
    await lockTeam(tx, group.teamId)
    await lockOwners(tx)
    await lockAddresses(tx)
    const role = await requireRole(tx, actorId, 'admin')
    const removed = await removeParked(tx, runId, group.teamId)
    await askAbout(tx, removed)
    const leavers = await leaversParked(tx, runId)
    const mine = leavers.filter(leaver => mayLetGo(role, leaver)).map(({ id }) => id)
    const deactivated = await deactivateLeavers(tx, mine, actorId)
    await clearParkedDeactivations(tx, runId)
    await forgetFingerprint(tx, groupId)
    await noteDeactivations(tx, runId, 'deactivated', deactivated)
    const counts = { removed: removed.length, deactivated: deactivated.length }
    await noteApproval(tx, runId, actorId, counts)
    const details = { group: group.name, groupId, ...counts }
    await recordEvent(tx, { kind: 'removals-approved', actorId, details })
    return { outcome: 'done', people: removed.length + deactivated.length, forOwner: leavers.length - mine.length }
  })
}

/** Puts people back within 30 days, by hand, so that the next run keeps them until the directory lists them. */
export async function undo(db: Database, actorId: number, groupId: number, runId: number): Promise<DecideOutcome> {
  return transaction(db, async tx => {
    const group = await lockGroup(tx, groupId)
    const run = group && (await lockRun(tx, groupId, runId))
    if (!group || !run) return { outcome: 'unknown' }
    const canBe = run.state !== 'running' && run.removed > 0 && run.undoneAt === null
    if (!canBe || !(await isWithin(tx, runId, undoDays))) return { outcome: 'wrong-state' }
    await lockTeam(tx, group.teamId)
    await lockAddresses(tx)
    await requireRole(tx, actorId, 'admin')
    const people = await putBack(tx, runId, group.teamId, actorId)
    await noteUndo(tx, runId, actorId)
    await forgetFingerprint(tx, groupId)
    await recordEvent(tx, { kind: 'removals-undone', actorId, details: { group: group.name, groupId, people } })
    return { outcome: 'done', people, forOwner: 0 }
  })
}
