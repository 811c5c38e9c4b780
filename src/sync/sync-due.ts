/** The worker's part of syncing: one run at a time for the directory, from reading to applying. */
import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { whileLocked } from '../db/locks.ts'
import { type DirectoryDeps, directoryOf } from '../directory/settings.ts'
import { readSettingsRow } from '../directory/settings-store.ts'
import { DirectoryProblem } from '../ldap/directory.ts'
import { checkLeavers } from '../leavers/check-leavers.ts'
import { readOrganization } from '../organization/store.ts'
import {
  endRun,
  isSyncDue,
  leaseSeconds,
  lockGroup,
  lockRun,
  releaseRun,
  renewRun,
  schedule,
  type TakenRun,
  takeRun
} from './run-store.ts'
import { applyRun } from './steps/apply-run.ts'
import { applyUnchanged } from './steps/apply-unchanged.ts'
import { keptAmongMissing } from './steps/kept.ts'
import { plan } from './steps/plan-store.ts'
import { RunFailed, readWhole } from './steps/read.ts'
import { clearStage, sweepStage } from './steps/stage-store.ts'

const maxAttempts = 3

/** Does a run, or checks people removed by runs. False when nothing was due, or another worker is doing it. */
export async function syncNext(deps: DirectoryDeps, signal?: AbortSignal): Promise<boolean> {
  const { db } = deps
  if (!(await isSyncDue(db))) return false
  const done = await whileLocked(db, 'rollcall:directory', async () => {
    const run = await transaction(db, takeRun)
    if (!run) return askAboutLeavers(deps, signal)
    await work(deps, run, signal)
    return true
  })
  return done ?? false
}

/** A directory that does not answer is asked again later. */
async function askAboutLeavers(deps: DirectoryDeps, signal?: AbortSignal): Promise<boolean> {
  try {
    return await checkLeavers(deps, signal)
  } catch (error) {
    if (error instanceof DirectoryProblem) return false
    throw error
  }
}

async function work(deps: DirectoryDeps, run: TakenRun, stopping?: AbortSignal) {
  const { db } = deps
  const lost = new AbortController()
  const signal = stopping ? AbortSignal.any([stopping, lost.signal]) : lost.signal
  let read = 0
  const beat = setInterval(
    async () => {
      const isOurs = await renewRun(db, run, read).catch(() => true)
      if (!isOurs) lost.abort(new Error('another worker has this run, or it was stopped'))
    },
    (leaseSeconds * 1000) / 3
  )
  try {
    if (run.attempts > maxAttempts)
      throw new RunFailed(`It could not be finished in ${maxAttempts} tries: the log says why`)
    await readAndApply(
      deps,
      run,
      count => {
        read = count
      },
      signal
    )
  } catch (error) {
    if (error instanceof RunFailed || error instanceof DirectoryProblem) return await fail(db, run, error.message)
    if (lost.signal.aborted) return
    await releaseRun(db, run, stopping?.aborted ? 0 : run.attempts * 5, stopping?.aborted)
    if (!stopping?.aborted) throw error
  } finally {
    clearInterval(beat)
  }
}

async function readAndApply(deps: DirectoryDeps, run: TakenRun, progress: (read: number) => void, signal: AbortSignal) {
  const { db } = deps
  await sweepStage(db)
  const found = await directoryOf(deps)
  if ('problem' in found) throw new RunFailed(found.problem)
  const { directory, state } = found
  const basis = JSON.stringify([
    await readOrganization(db),
    { ...state, settings: { ...state.settings, bindPassword: '' } }
  ])
  const { reading, fingerprint, stageRest } = await readWhole(db, directory, run, { basis, progress, signal })
  if (await transaction(db, tx => applyUnchanged(tx, run, reading, fingerprint, state.intervalMinutes))) return
  await stageRest()
  await transaction(db, tx => plan(tx, run.id))
  const kept = await keptAmongMissing(db, run, state.settings.exclusions, reading.away)
  signal.throwIfAborted()
  await transaction(db, tx => applyRun(tx, run, { reading, kept, fingerprint }, state))
}

/** Records the failure, with a reason for people to read. Nothing was changed. */
async function fail(db: Database, run: TakenRun, reason: string) {
  await clearStage(db, run.id)
  await transaction(db, async tx => {
    const group = await lockGroup(tx, run.groupId)
    const locked = group && (await lockRun(tx, run.groupId, run.id))
    if (!group || locked?.state !== 'running' || locked.attempts !== run.attempts) return
    await endRun(tx, run.id, { state: 'failed', reason })
    await schedule(tx, group.id, (await readSettingsRow(tx))?.intervalMinutes ?? 60, true)
    // the first failure is news, the hundredth is not
    if (group.failures > 0 && locked.cause === 'schedule') return
    const details = { group: group.name, groupId: group.id, reason }
    await recordEvent(tx, { kind: 'group-failed', actorId: locked.startedBy, details })
  })
}
