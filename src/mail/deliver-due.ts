import { resolveCrowding, writeLimits } from './queue/apply-limits.ts'
import { claimMore } from './queue/claim.ts'
import type { DeliverDeps } from './queue/deps.ts'
import { flushOutcomes } from './queue/flush-outcomes.ts'
import { heartbeat } from './queue/heartbeat.ts'
import { isOver, newRun, type Run, waitForWork, wantsMore } from './queue/run.ts'
import { sendReady } from './queue/send-ready.ts'

export type { DeliverDeps } from './queue/deps.ts'

/** Delivers until nothing is due; returns the number of attempts. At least once, with the same link and Message-ID. */
export async function deliverDue(deps: DeliverDeps): Promise<number> {
  const run = newRun(deps)
  for (let failures = 0; !isOver(run); ) {
    if (wantsMore(run)) void claimAndSend(run)
    heartbeat(run)
    sendReady(run)
    await waitForWork(run)
    sendReady(run)
    await Promise.all([writeLimits(run), resolveCrowding(run)])
    run.gate.isThrottled = false
    failures = (await flushOutcomes(run)) ? 0 : failures + 1
    if (failures > 0) await backOff(run, failures)
  }
  return run.outcomes.written
}

async function claimAndSend(run: Run) {
  await claimMore(run)
  sendReady(run)
  run.wake()
}

/** Outcomes that are not written are sent twice, so this gives up only when the run must end. */
async function backOff({ deps }: Run, failures: number) {
  if (deps.signal?.aborted && failures > 5)
    throw new Error('The database is unreachable; emails in flight are sent again when their leases expire')
  await new Promise(resolve => setTimeout(resolve, failures < 5 ? 50 * Math.random() * failures : 1000))
}
