/** Checks for paused batches, renews leases and shows progress of the emails that a run holds. */
import { inTime } from '../../db/client.ts'
import { reasonOf } from '../../db/faults.ts'
import { showSending } from '../copies-store.ts'
import type { Ready } from './claims.ts'
import { databaseTimeoutMs } from './deps.ts'
import { type Run, releaseReady } from './run.ts'
import { findHeldBatches, renewLeases } from './store.ts'

export function heartbeat(run: Run): void {
  const batchIds = run.holds.batchesToCheck(run.claims.ready)
  if (batchIds.length > 0) void checkHolds(run, batchIds)
  const expiring = run.claims.leasesToRenew()
  if (expiring.length > 0) void renew(run, expiring)
  const slow = run.claims.slow()
  if (slow.length > 0) void show(run, slow)
}

/** An admin who pauses or cancels a batch waits for its emails in flight, not for those that are ready. */
async function checkHolds(run: Run, batchIds: number[]) {
  try {
    run.holds.setHeld(await inTime(findHeldBatches(run.deps.db, batchIds), databaseTimeoutMs))
    releaseReady(run)
  } catch (error) {
    run.deps.log.warn({ reason: reasonOf(error) }, 'Could not read the state of the batches')
  }
}

async function renew({ deps, claims }: Run, expiring: Ready[]) {
  const leasedAt = Date.now()
  const deliveries = expiring.map(({ delivery }) => delivery)
  try {
    await inTime(renewLeases(deps.db, deliveries, claims.leaseSeconds), databaseTimeoutMs)
    for (const ready of expiring) ready.leasedAt = leasedAt
  } catch (error) {
    deps.log.warn({ reason: reasonOf(error), mails: expiring.length }, 'Could not renew leases, trying again')
  }
}

async function show({ deps }: Run, slow: Ready[]) {
  for (const ready of slow) ready.isShown = true
  try {
    const deliveries = slow.map(({ delivery }) => delivery)
    await inTime(showSending(deps.db, deliveries), databaseTimeoutMs)
  } catch (error) {
    deps.log.warn({ reason: reasonOf(error) }, 'Could not show emails as being sent')
  }
}
