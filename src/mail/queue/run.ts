import { release } from '../settlement.ts'
import { Claims } from './claims.ts'
import type { DeliverDeps } from './deps.ts'
import { Gate } from './gate.ts'
import { Holds } from './holds.ts'
import { flushEveryMs, Outcomes } from './outcomes.ts'

export interface Run {
  readonly deps: DeliverDeps
  readonly claims: Claims
  readonly gate: Gate
  readonly holds: Holds
  readonly outcomes: Outcomes
  wake: () => void
}

export function newRun(deps: DeliverDeps): Run {
  return {
    deps,
    claims: new Claims(minClaimSize(deps), deps.leaseSeconds),
    gate: new Gate(deps),
    holds: new Holds(),
    outcomes: new Outcomes(),
    wake: () => {}
  }
}

export const minClaimSize = ({ transport }: DeliverDeps) => transport.concurrency * 2

export const wantsMore = ({ claims, gate }: Run) => claims.hasRoom && !gate.isStopping && !gate.isAwaitingLimits

export const isOver = ({ claims, gate, outcomes }: Run) =>
  claims.isIdle &&
  outcomes.finished.length === 0 &&
  !gate.isAwaitingLimits &&
  (gate.isStopping || (Date.now() < claims.notBefore && !gate.isPaced))

export const hasWork = (run: Run) => run.outcomes.isDue || wantsMore(run) || run.claims.isIdle

/** Resolves when there are enough outcomes to write or more emails to claim, after 50 ms at the latest. */
export function waitForWork(run: Run): Promise<void> {
  if (hasWork(run)) return Promise.resolve()
  return new Promise(resolve => {
    const timer = setTimeout(resolve, flushEveryMs)
    run.wake = () => {
      clearTimeout(timer)
      run.wake = () => {}
      resolve()
    }
  })
}

export function releaseReady({ claims, gate, holds, outcomes }: Run): void {
  if (!gate.releasesAll && holds.isEmpty && !claims.hasStale) return
  const removed = claims.remove(each => gate.releasesAll || claims.isStale(each) || holds.covers(each.delivery))
  for (const delivery of removed) outcomes.finished.push(release(delivery))
}
