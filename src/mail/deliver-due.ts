import { recordEvent } from '../audit/store.ts'
import { type Db, inTime, transaction } from '../db/client.ts'
import { isPassing, reasonOf } from '../db/faults.ts'
import type { Outcome, Settlement } from './delivery.ts'
import { pauseTransport, resumeTransport } from './queue/gate-store.ts'
import { leasesToRenew, lookForHolds, renew, show, slowAmong } from './queue/keep-up.ts'
import { learn } from './queue/learn.ts'
import { judgeCrowd, noteAsked } from './queue/obey.ts'
import {
  batchesToLookAt,
  type DeliverDeps,
  giveUpHand,
  hasOccasion,
  isOver,
  mayDepart,
  newRun,
  nextToGo,
  occasion,
  type Ready,
  type Run,
  wantsMore
} from './queue/run.ts'
import { settle, stopBatch, waitBriefly } from './queue/store.ts'
import { claim, take, unmade } from './queue/take-up.ts'
import { settlementOf } from './settlement.ts'

export type { DeliverDeps } from './queue/run.ts'

/** Milliseconds: less than what is left of a lease when it is to be renewed. */
const patience = 10_000

/**
 * Delivers everything that is due, until nothing is: claims ahead in small sets, sends on as many lanes as the transport
 * allows, writes what ended every 50 ms or 100 mails. Every mail goes out at least once; what is sent twice, after a
 * crash or a lost answer, has the same link and Message-ID. Any number of workers may run. Returns how many attempts ended.
 *
 * @throws when it is to end while the database is away.
 */
export async function deliverDue(deps: DeliverDeps): Promise<number> {
  const run = newRun(deps)
  for (let failures = 0; !isOver(run); ) {
    if (wantsMore(run)) void claimMore(run)
    const batchIds = batchesToLookAt(run)
    if (batchIds.length > 0) void lookForHolds(run, batchIds)
    const late = leasesToRenew(run)
    if (late.length > 0) void renew(run, late)
    const slow = slowAmong(run)
    if (slow.length > 0) void show(run, slow)
    depart(run)
    await occasion(run)
    depart(run)
    await Promise.all([noteAsked(run), judgeCrowd(run)])
    run.isTold = false
    failures = (await write(run)) ? 0 : failures + 1
    if (failures > 0) await survive(run, failures)
  }
  return run.settled
}

/** Writes what ended in one short transaction. False when that failed; nothing is lost by it. */
async function write(run: Run): Promise<boolean> {
  giveUpHand(run)
  const settlements = run.ended.splice(0)
  if (settlements.length === 0) return true
  run.writing = settlements.length
  const { fault, isRecovered } = run
  const stops = [...run.stops]
  try {
    const facts = { settlements, fault, isRecovered, stops }
    await inTime(
      transaction(run.deps.db, tx => report(tx, facts)),
      patience
    )
    run.settled += settlements.filter(({ state, isUncounted }) => !(state === 'queued' && isUncounted)).length
    // a claim that began before the batch was stopped may still bring some of it
    if (!run.isClaiming) for (const [batchId] of stops) run.stops.delete(batchId)
    if (isRecovered) run.isRecovered = false
    return true
  } catch (error) {
    run.ended.unshift(...settlements)
    const reason = reasonOf(error)
    run.deps.log.warn({ reason, unwritten: run.ended.length }, 'Mail could not be written down, trying again')
    return false
  } finally {
    run.writing = 0
  }
}

interface Report {
  settlements: Settlement[]
  fault: string | undefined
  isRecovered: boolean
  stops: [batchId: number, reason: string][]
}

async function report(tx: Db, { settlements, fault, isRecovered, stops }: Report) {
  await Promise.all([waitBriefly(tx), settle(tx, settlements)])
  if (fault !== undefined) await pauseTransport(tx, fault)
  else if (isRecovered) await resumeTransport(tx)
  for (const [batchId, reason] of stops) {
    const isNew = await stopBatch(tx, batchId, reason)
    if (isNew) await recordEvent(tx, { kind: 'batch-stopped', actorId: null, batchId, details: { reason } })
  }
}

/** Claims and composes while others are on their way. A failure costs a moment, and leases that nobody uses. */
async function claimMore(run: Run): Promise<void> {
  run.isClaiming = true
  try {
    const taken = await inTime(
      transaction(run.deps.db, tx => claim(tx, run)),
      3 * patience
    )
    take(run, taken)
    run.isWary = false
    giveUpHand(run)
  } catch (error) {
    const isNews = !run.isWary && !isPassing(error)
    run.isWary = !isPassing(error)
    run.claimAfter = isNews ? 0 : Date.now() + 250
    run.deps.log.warn({ reason: reasonOf(error) }, 'Mails could not be taken up')
  }
  run.isClaiming = false
  depart(run)
  run.wake()
}

/** Lets as many go as there are lanes. */
function depart(run: Run) {
  while (mayDepart(run)) {
    const ready = nextToGo(run)
    if (!ready) return
    void fly(run, ready)
  }
}

async function fly(run: Run, ready: Ready) {
  const { delivery, until } = ready
  ready.leftAt = Date.now()
  run.flying.add(ready)
  const outcome = await send(run, ready)
  run.flying.delete(ready)
  run.ended.push(settlementOf(delivery, outcome, until))
  learn(run, delivery, outcome)
  depart(run)
  if (hasOccasion(run)) run.wake()
}

/** One mail that breaks us must not take the others along. */
async function send(run: Run, { delivery, mail }: Ready): Promise<Outcome> {
  if (mail.to !== delivery.address || mail.deliveryId !== delivery.id)
    return {
      is: 'recipient-failed',
      reply: 'The envelope is not the stored address: nothing was sent',
      suppress: false
    }
  let made: Buffer
  try {
    made = mail.bytes()
  } catch (error) {
    return { is: 'not-composed', reply: unmade(run, delivery, error).reason }
  }
  return run.deps.transport.send({ ...mail, bytes: () => made })
}

/** Waits a moment after a failed turn. What is not written down is sent twice: we give up only when we must end. */
async function survive(run: Run, failures: number) {
  if (run.deps.signal?.aborted && failures > 5)
    throw new Error('The database stayed away: mails on their way are sent again when their leases run out')
  await new Promise(resolve => setTimeout(resolve, failures < 5 ? 50 * Math.random() * failures : 1000))
}
