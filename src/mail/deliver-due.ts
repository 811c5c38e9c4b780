import { type Db, transaction } from '../db/client.ts'
import { type Claimed, gistOf, type Outcome, type Settlement, settlementOf } from './delivery.ts'
import { pauseTransport, resumeTransport } from './queue/gate-store.ts'
import {
  batchesToLookAt,
  type DeliverDeps,
  giveUpHand,
  hasOccasion,
  isOver,
  newRun,
  occasion,
  type Ready,
  type Run,
  wantsMore
} from './queue/run.ts'
import { heldAmong, settle, stopBatch, waitBriefly } from './queue/store.ts'
import { claim, take } from './queue/take-up.ts'

export type { DeliverDeps } from './queue/run.ts'

const equalRefusals = 10

/**
 * Delivers everything that is due, until nothing is: claims ahead in small sets, sends on as many lanes as the transport
 * allows, writes what ended every 50 ms or 100 mails. Every mail goes out at least once; what is sent twice, after a
 * crash or a lost answer, has the same link and Message-ID. Any number of workers may run. Returns how many attempts ended.
 *
 * @throws when the database stays away for longer than a lease.
 */
export async function deliverDue(deps: DeliverDeps): Promise<number> {
  const run = newRun(deps)
  for (let failures = 0; !isOver(run); ) {
    if (wantsMore(run)) void claimMore(run)
    const batchIds = batchesToLookAt(run)
    if (batchIds.length > 0) void lookForHolds(run, batchIds)
    await occasion(run)
    depart(run)
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
  const { fault, isRecovered } = run
  const stops = [...run.stops]
  try {
    await inTime(transaction(run.deps.db, tx => report(tx, { settlements, fault, isRecovered, stops })))
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
  }
}

/** The database's words without the statement: its parameters hold addresses. */
const reasonOf = (error: unknown) =>
  ((error as Error).cause instanceof Error ? ((error as Error).cause as Error) : (error as Error)).message

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
  for (const [batchId, reason] of stops) await stopBatch(tx, batchId, reason)
}

/** Claims and composes while others are on their way. A failure costs a moment, and leases that nobody uses. */
async function claimMore(run: Run): Promise<void> {
  run.isClaiming = true
  try {
    take(run, await inTime(transaction(run.deps.db, tx => claim(tx, run))))
    giveUpHand(run)
  } catch (error) {
    run.claimAfter = Date.now() + 250
    run.deps.log.warn({ reason: reasonOf(error) }, 'Mails could not be taken up')
  }
  run.isClaiming = false
  depart(run)
  run.wake()
}

/** An admin who pauses or cancels a batch waits for what is on its way, not for what is in our hand. */
async function lookForHolds(run: Run, batchIds: number[]): Promise<void> {
  try {
    run.held = new Set(await inTime(heldAmong(run.deps.db, batchIds)))
    giveUpHand(run)
  } catch (error) {
    run.deps.log.warn({ reason: reasonOf(error) }, 'The state of the batches could not be read')
  }
}

/** Lets as many go as there are lanes, those whose domain's turn it is. */
function depart(run: Run) {
  while (run.flying < run.deps.transport.lanes && run.hand.length > 0 && run.fault === undefined) {
    const next = run.hand.findIndex(({ mail }) => run.pace.takeTurn(mail.to))
    if (next < 0) return
    void fly(run, ...(run.hand.splice(next, 1) as [Ready]))
  }
}

async function fly(run: Run, { delivery, mail, until }: Ready) {
  run.flying += 1
  const isAsStored = mail.to === delivery.address && mail.deliveryId === delivery.id
  const outcome: Outcome = isAsStored
    ? await run.deps.transport.send(mail)
    : { is: 'recipient-failed', reply: 'The envelope is not the stored address: nothing was sent', suppress: false }
  run.flying -= 1
  run.ended.push(settlementOf(delivery, outcome, until))
  if (outcome.is === 'sent' || outcome.is === 'throttled') run.pace.learn(mail.to, isAboutDomain(outcome))
  learn(run, delivery, outcome)
  depart(run)
  if (hasOccasion(run)) run.wake()
}

/** 421 is about the connection; 4.7.x at a recipient is about where that mail goes. */
const isAboutDomain = (outcome: Outcome) => outcome.is === 'throttled' && !outcome.reply.startsWith('421')

/** What one outcome says about more than its own mail. */
function learn(run: Run, { batchId }: Claimed, outcome: Outcome) {
  if (outcome.is === 'transport-fault') {
    if (run.fault === undefined)
      run.deps.log.error({ reason: outcome.reply }, 'The mail server cannot be used, mails are held')
    run.fault ??= outcome.reply
  } else if (run.isProbe && outcome.is !== 'throttled') {
    run.isRecovered = true
    run.isProbe = false
    run.deps.log.info({}, 'The mail server works again')
  }
  if (batchId === null) return
  if (outcome.is !== 'policy') return void (outcome.is === 'sent' && run.refusals.delete(batchId))
  const gist = gistOf(outcome.reply)
  const before = run.refusals.get(batchId)
  const times = before?.gist === gist ? before.times + 1 : 1
  run.refusals.set(batchId, { gist, times })
  if (times !== equalRefusals) return
  run.stops.set(batchId, `The mail server refused ${equalRefusals} mails in a row: ${outcome.reply}`)
  giveUpHand(run)
}

/** Waits a moment after a failed turn, and gives up when our leases have run out anyway. */
async function survive(run: Run, failures: number) {
  const isHopeless = failures > (run.deps.signal?.aborted ? 5 : (run.deps.leaseSeconds ?? 900))
  if (isHopeless)
    throw new Error('The database stayed away: mails on their way are sent again when their leases run out')
  await new Promise(resolve => setTimeout(resolve, failures < 5 ? 50 * Math.random() * failures : 1000))
}

/** postgres.js may never settle a query whose connection died: every wait has an end. */
function inTime<T>(work: Promise<T>, milliseconds = 30_000): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`The database did not answer for ${milliseconds / 1000} s`)),
      milliseconds
    )
  })
  work.catch(() => {})
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
