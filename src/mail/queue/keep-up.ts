/** What a run does while mails are on their way: their leases, what people see of them, and whether a batch is held. */
import { inTime } from '../../db/client.ts'
import { reasonOf } from '../../db/faults.ts'
import { giveUpHand, leaseOf, type Ready, type Run } from './run.ts'
import { heldAmong, renewLeases, showOnTheirWay } from './store.ts'

/** Milliseconds: less than what is left of a lease when it is to be renewed. */
const patience = 10_000

/** An admin who pauses or cancels a batch waits for what is on its way, not for what is in our hand. */
export async function lookForHolds(run: Run, batchIds: number[]): Promise<void> {
  try {
    run.held = new Set(await inTime(heldAmong(run.deps.db, batchIds), patience))
    giveUpHand(run)
  } catch (error) {
    run.deps.log.warn({ reason: reasonOf(error) }, 'The state of the batches could not be read')
  }
}

export async function renew(run: Run, late: Ready[]): Promise<void> {
  const leasedAt = Date.now()
  const deliveries = late.map(({ delivery }) => delivery)
  try {
    await inTime(renewLeases(run.deps.db, deliveries, leaseOf(run)), patience)
    for (const ready of late) ready.leasedAt = leasedAt
  } catch (error) {
    run.deps.log.warn({ reason: reasonOf(error), mails: late.length }, 'Leases could not be renewed, trying again')
  }
}

export async function show(run: Run, slow: Ready[]): Promise<void> {
  for (const ready of slow) ready.isShown = true
  try {
    const deliveries = slow.map(({ delivery }) => delivery)
    await inTime(showOnTheirWay(run.deps.db, deliveries), patience)
  } catch (error) {
    run.deps.log.warn({ reason: reasonOf(error) }, 'Mails on their way could not be shown as such')
  }
}

/** What has been on its way for so long that its lease must be renewed. */
export function leasesToRenew(run: Run): Ready[] {
  const milliseconds = leaseOf(run) * 1000
  if (run.flying.size === 0 || Date.now() - run.renewedAt < milliseconds / 10) return []
  run.renewedAt = Date.now()
  return [...run.flying].filter(({ leasedAt }) => leasedAt < Date.now() - milliseconds / 3)
}

const noticeable = 1_000 // ms

/** What has been on its way for so long that people are to see it: nobody would notice the others. */
export function slowAmong(run: Run): Ready[] {
  const since = Date.now() - noticeable
  return [...run.flying].filter(({ leftAt = since, isShown }) => leftAt < since && !isShown)
}
