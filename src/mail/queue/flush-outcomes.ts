/** Writes how attempts ended, with what follows for the mail server and the batches, in one short transaction. */
import { recordEvent } from '../../audit/store.ts'
import { type Db, inTime, transaction } from '../../db/client.ts'
import { reasonOf } from '../../db/faults.ts'
import { stopBatch } from '../copies-store.ts'
import type { Settlement } from '../delivery.ts'
import { databaseTimeoutMs } from './deps.ts'
import { pauseTransport, resumeTransport } from './gate-store.ts'
import { type Run, releaseReady } from './run.ts'
import { applyWorkerSettings, writeOutcomes } from './store.ts'

/** False when it failed; then everything is kept for the next turn. */
export async function flushOutcomes(run: Run): Promise<boolean> {
  releaseReady(run)
  const { outcomes, gate } = run
  const settlements = outcomes.finished.splice(0)
  if (settlements.length === 0) return true
  outcomes.writing = settlements.length
  const report = { settlements, fault: gate.fault, isRecovered: gate.isRecovered, stops: [...run.holds.stops] }
  try {
    await inTime(
      transaction(run.deps.db, tx => write(tx, report)),
      databaseTimeoutMs
    )
    noteWritten(run, report)
    return true
  } catch (error) {
    outcomes.finished.unshift(...settlements)
    const details = { reason: reasonOf(error), unwritten: outcomes.finished.length }
    run.deps.log.warn(details, 'Could not write delivery outcomes, trying again')
    return false
  } finally {
    outcomes.writing = 0
  }
}

interface Report {
  settlements: Settlement[]
  fault: string | undefined
  isRecovered: boolean
  stops: [batchId: number, reason: string][]
}

async function write(tx: Db, { settlements, fault, isRecovered, stops }: Report) {
  await Promise.all([applyWorkerSettings(tx), writeOutcomes(tx, settlements)])
  if (fault !== undefined) await pauseTransport(tx, fault)
  else if (isRecovered) await resumeTransport(tx)
  for (const [batchId, reason] of stops) {
    const isNew = await stopBatch(tx, batchId, reason)
    if (isNew) await recordEvent(tx, { kind: 'batch-stopped', actorId: null, batchId, details: { reason } })
  }
}

function noteWritten({ claims, gate, holds, outcomes }: Run, { settlements, isRecovered, stops }: Report) {
  outcomes.written += settlements.filter(({ state, isUncounted }) => !(state === 'queued' && isUncounted)).length
  // a claim that began before the batch was stopped may still bring some of its emails
  if (!claims.isClaiming) for (const [batchId] of stops) holds.stops.delete(batchId)
  if (isRecovered) gate.isRecovered = false
}
