import { recordEvent } from '../../audit/store.ts'
import type { Db } from '../../db/client.ts'
import type { DirectoryState } from '../../directory/settings.ts'
import type { Reading } from '../../ldap/directory.ts'
import { deactivateLeavers } from '../../leavers/deactivate-leavers.ts'
import { isTooMany } from '../../leavers/guard.ts'
import { idsOf, leaversOfRun } from '../../leavers/leavers-store.ts'
import { number } from '../../lib/words.ts'
import { askAbout } from '../../people/directory-checks-store.ts'
import { lockAddresses, lockOwners } from '../../people/store.ts'
import { lockTeam, recountTeam, updateTeam } from '../../teams/store.ts'
import { noteDeactivations } from '../decisions-store.ts'
import { receiptOf } from '../run.ts'
import { endRun, lockGroup, lockRun, type RunEnd, schedule, supersedeParked, type TakenRun } from '../run-store.ts'
import { type GroupRow, updateGroup } from '../store.ts'
import {
  addMemberships,
  addPeople,
  countMembers,
  parkMemberships,
  removeMemberships,
  updatePeople
} from './apply-store.ts'
import type { KeptPeople } from './kept.ts'
import { whoMoves } from './moves.ts'
import { freeAddresses, moveOthers, noteAddresses, noteKeptAddresses, wantedAddresses } from './moves-store.ts'
import { countOpen, countPlan, countPlanned, replaceLeftOut } from './plan-store.ts'
import { clearStage } from './stage-store.ts'

export interface Proved {
  reading: Reading
  kept: KeptPeople
  fingerprint: string
}

/** Applies a planned run, all or nothing; many removals wait for approval (R9). False when it is no longer ours. */
export async function applyRun(tx: Db, run: TakenRun, proved: Proved, state: DirectoryState): Promise<boolean> {
  const { reading, kept, fingerprint } = proved
  const stay = [...kept.excluded, ...kept.away]
  const own = await lockOwn(tx, run)
  if (!own) return false
  const { group, cause, startedBy } = own
  await requireWhole(tx, run.id, reading)

  const before = await countMembers(tx, run.id, run.teamId, stay)
  await supersedeParked(tx, run.groupId, run.id)
  const planned = await countPlan(tx, run.id)
  // as late as possible: until this commits, no one is invited
  await lockPeople(tx, state)
  const { changed, addresses } = await writePeople(tx, run.id)
  await replaceLeftOut(tx, run.id, run.groupId)
  const counts = { ...planned, ...(await countOpen(tx, run.id)) }
  const added = await addMemberships(tx, run.id, run.teamId)
  const isParked = isTooMany(before.missing, before.all)
  const removed = await (isParked ? parkRemovals(tx, run, stay) : removePeople(tx, run, stay))
  const leaving = await handleLeavers(tx, run.id, state, before.all)

  const after = before.all + added - removed.length
  const end: RunEnd = {
    state: isParked || leaving.deactivationsParked > 0 ? 'parked' : 'done',
    added,
    removed: removed.length,
    changed,
    addresses,
    parked: isParked ? before.missing : 0,
    ...leaving,
    receipt: { ...receiptOf(reading), ...counts, keptAway: kept.away.length, before: before.all, after }
  }
  const isClean = end.state === 'done' && counts.doubled + counts.taken + counts.otherAddress === 0
  const known = { memberCount: after, fingerprint: isClean ? fingerprint : null }
  await finish(tx, group, run, { ...end, reason: reasonOf(end, before) }, reading, known, state.intervalMinutes)
  if (added + removed.length > 0) await recountTeam(tx, run.teamId)
  await record(tx, group, cause, startedBy, end)
  await clearStage(tx, run.id)
  return true
}

/** Undefined when the run is no longer ours. */
async function lockOwn(tx: Db, run: TakenRun) {
  const group = await lockGroup(tx, run.groupId)
  if (!group) return undefined
  const locked = await lockRun(tx, run.groupId, run.id)
  if (locked?.state !== 'running' || locked.attempts !== run.attempts) return undefined
  await lockTeam(tx, run.teamId)
  return { group, cause: locked.cause, startedBy: locked.startedBy }
}

async function parkRemovals(tx: Db, run: TakenRun, stay: number[]): Promise<number[]> {
  await parkMemberships(tx, run.id, run.teamId, stay)
  return []
}

async function removePeople(tx: Db, run: TakenRun, stay: number[]): Promise<number[]> {
  const removed = await removeMemberships(tx, run.id, run.teamId, stay)
  if (removed.length > 0) await askAbout(tx, removed)
  return removed
}

/** Changed addresses first, all in one step, so that newcomers find theirs free. */
async function writePeople(tx: Db, runId: number) {
  const noted = await noteAddresses(tx, runId)
  const movers = whoMoves(await wantedAddresses(tx, runId))
  await freeAddresses(tx, runId, movers)
  await addPeople(tx, runId)
  const changed = await updatePeople(tx, runId)
  const others = await moveOthers(tx, runId, movers)
  return { changed: changed + others, addresses: await noteKeptAddresses(tx, runId, noted) }
}

/** In the usual lock order: owners first, as deactivating people may need them. */
async function lockPeople(tx: Db, { deactivateLeavers: isOn }: DirectoryState) {
  if (isOn) await lockOwners(tx)
  await lockAddresses(tx)
}

/** A crash of the database empties the staging tables, and nothing else would notice. */
async function requireWhole(tx: Db, runId: number, { resolved }: Reading) {
  const { staged, planned } = await countPlanned(tx, runId)
  if (staged !== resolved || planned !== resolved)
    throw new Error(`of ${resolved} people read, ${staged} are staged and ${planned} planned`)
}

/** Disabled people who can still act here: with the setting on they are deactivated, under the same guard. */
async function handleLeavers(tx: Db, runId: number, { deactivateLeavers: isOn }: DirectoryState, members: number) {
  const leavers = isOn ? await idsOf(tx, leaversOfRun(runId)) : []
  const isParked = isTooMany(leavers.length, members)
  const gone = isParked ? [] : await deactivateLeavers(tx, leavers, null)
  await noteDeactivations(tx, runId, isParked ? 'deactivation-parked' : 'deactivated', isParked ? leavers : gone)
  return { deactivated: gone.length, deactivationsParked: isParked ? leavers.length : 0 }
}

async function finish(
  tx: Db,
  group: GroupRow,
  run: TakenRun,
  end: RunEnd,
  { group: found }: Reading,
  known: { memberCount: number; fingerprint: string | null },
  intervalMinutes: number
) {
  const { dn, name, mail, description, kind } = found
  await updateGroup(tx, group.id, { dn, name, mail, description, kind, ...known, lastGoodRunId: run.id })
  // a team that follows a group takes its name
  if (name !== group.name) await updateTeam(tx, run.teamId, { name })
  await endRun(tx, run.id, end)
  await schedule(tx, group.id, intervalMinutes, false)
}

function reasonOf({ parked = 0, deactivationsParked = 0 }: RunEnd, before: { all: number }): string | null {
  const of = number(before.all)
  const parts = [
    parked > 0 && `${number(parked)} of ${of} people would be removed from the team`,
    deactivationsParked > 0 && `${number(deactivationsParked)} users would be deactivated`
  ].filter(Boolean)
  return parts.length > 0 ? `${parts.join(', and ')}: so many need approval.` : null
}

/** A scheduled run without changes is not logged. */
async function record(tx: Db, group: GroupRow, cause: string, startedBy: number | null, end: RunEnd) {
  const { added = 0, removed = 0, changed = 0, addresses = 0, parked = 0, deactivationsParked = 0 } = end
  if (cause === 'schedule' && added + removed + changed + addresses + parked + deactivationsParked === 0) return
  const details = {
    group: group.name,
    groupId: group.id,
    added,
    removed,
    changed,
    addresses,
    parked,
    deactivationsParked
  }
  await recordEvent(tx, {
    kind: end.state === 'parked' ? 'group-parked' : 'group-read',
    actorId: startedBy,
    details
  })
}
