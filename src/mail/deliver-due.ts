import { type Database, type Db, transaction } from '../db/client.ts'
import {
  type Claimed,
  type Composed,
  type Composer,
  gistOf,
  handBack,
  type Log,
  type Mail,
  type MailTransport,
  type Outcome,
  type Settlement,
  settlementOf
} from './delivery.ts'
import {
  claimDue,
  type Gate,
  isSomethingQueued,
  passGate,
  pauseTransport,
  releaseExpired,
  resumeTransport,
  settle,
  stopBatch,
  waitBriefly
} from './store.ts'

export interface DeliverDeps {
  db: Database
  log: Log
  transport: MailTransport
  /** Who makes the mails of each kind. */
  composers: Record<string, Composer>
  /** The right side of every Message-ID. */
  mailHost: string
  /** Ends the run: what has not left is handed back, what is on its way is waited for. */
  signal?: AbortSignal
  /** Seconds a delivery is ours; must outlast the transport's patience. */
  leaseSeconds?: number
}

/** A mail in hand, not on its way yet. */
interface Ready {
  delivery: Claimed
  mail: Mail
  until: string | null
  since: number
}

/** What a run knows: mails in hand and on their way, attempts that ended and are not written yet. */
interface Run {
  deps: DeliverDeps
  hand: Ready[]
  flying: number
  ended: Settlement[]
  settled: number
  /** How many to claim at once: about half a second of work. */
  appetite: number
  /** How often in a row another worker held everything that is queued. */
  contentions: number
  tookAt: number
  sweptAt: number
  /** Not before this moment (ms) another claim: the last one found nothing. */
  claimAfter: number
  fault: string | undefined
  isRecovered: boolean
  isProbe: boolean
  refusals: Map<number, { gist: string; times: number }>
  stops: Map<number, string>
  wake: () => void
}

const often = 50 // ms between two writings of what ended
const enough = 100 // ended attempts that are written at once without waiting
const longestInHand = 30_000 // ms; then another worker, or a later and more urgent order, may have it
const sweepEvery = 30_000 // ms between two looks for leases that ran out
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
  for (let failures = 0; ; ) {
    const didClaim = wantsMore(run)
    failures = (await turn(run, didClaim)) ? 0 : failures + 1
    if (failures > 0) await survive(run, failures)
    depart(run)
    if (isOver(run)) return run.settled
    await occasion(run)
  }
}

function newRun(deps: DeliverDeps): Run {
  const base = {
    hand: [],
    flying: 0,
    ended: [],
    settled: 0,
    claimAfter: 0,
    contentions: 0,
    tookAt: 0,
    sweptAt: 0,
    fault: undefined,
    isRecovered: false,
    isProbe: false
  }
  return { deps, ...base, appetite: deps.transport.lanes * 2, refusals: new Map(), stops: new Map(), wake: () => {} }
}

const isStopping = (run: Run) => run.fault !== undefined || run.isProbe || run.deps.signal?.aborted === true
const wantsMore = (run: Run) => !isStopping(run) && run.hand.length < run.appetite / 2 && Date.now() >= run.claimAfter
const isOver = (run: Run) =>
  run.hand.length + run.flying + run.ended.length === 0 &&
  (isStopping(run) || (Date.now() < run.claimAfter && !isWaitingItsTurn(run)))
const isWaitingItsTurn = ({ contentions }: Run) => contentions > 0 && contentions < 200

/** One short transaction: writes what ended, then claims more. False when it failed; nothing is lost by that. */
async function turn(run: Run, mayClaim: boolean): Promise<boolean> {
  giveUpHand(run)
  const writing = run.ended.splice(0)
  if (writing.length === 0 && !mayClaim && !run.isRecovered && run.stops.size === 0) return true
  const { fault, isRecovered } = run
  const stops = [...run.stops]
  try {
    const report = { settlements: writing, fault, isRecovered, stops }
    const more = await clock('turn', writing.length, inTime(transaction(run.deps.db, tx => writeAndClaim(tx, run, report, mayClaim))))
    run.settled += writing.filter(({ state, isUncounted }) => !(state === 'queued' && isUncounted)).length
    for (const [batchId] of stops) run.stops.delete(batchId)
    if (isRecovered) run.isRecovered = false
    if (mayClaim) take(run, more)
    return true
  } catch (error) {
    run.ended.unshift(...writing)
    run.deps.log.warn(
      { reason: reasonOf(error), unwritten: run.ended.length },
      'Mail could not be written down, trying again'
    )
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

const T: Record<string, [number, number, number]> = {}
async function clock<X>(name: string, rows: number, f: Promise<X>): Promise<X> { const t = performance.now(); const x = await f; const e = (T[name] ??= [0, 0, 0]); e[0] += performance.now() - t; e[1] += rows; e[2]++; return x }
process.on('exit', () => console.error(T))
async function writeAndClaim(tx: Db, run: Run, report: Report, mayClaim: boolean): Promise<Taken> {
  await clock('brief', 0, waitBriefly(tx))
  if (report.settlements.length > 0) await clock('settle', report.settlements.length, settle(tx, report.settlements))
  if (report.fault !== undefined) await pauseTransport(tx, report.fault)
  else if (report.isRecovered) await resumeTransport(tx)
  for (const [batchId, reason] of report.stops) await stopBatch(tx, batchId, reason)
  return mayClaim ? claim(tx, run) : nothing
}

interface Taken {
  gate: Gate
  ready: Ready[]
  count: number
  /** Nothing was free just now, but there is something. */
  isContended: boolean
}

const nothing: Taken = { gate: 'open', ready: [], count: 0, isContended: false }

async function claim(tx: Db, run: Run): Promise<Taken> {
  const { deps, appetite } = run
  if (Date.now() - run.sweptAt > sweepEvery) {
    await releaseExpired(tx)
    run.sweptAt = Date.now()
  }
  const gate = await passGate(tx)
  if (gate === 'shut') return { ...nothing, gate }
  const claimed = await clock('claim', appetite, claimDue(tx, gate === 'probe' ? 1 : appetite, deps.leaseSeconds ?? 900, deps.mailHost))
  const composed = await clock('compose', claimed.length, compose(tx, deps.composers, claimed))
  const since = Date.now()
  const ready: Ready[] = []
  const dropped: Settlement[] = []
  for (const delivery of claimed) {
    const result = composed.get(delivery.id) ?? ({ is: 'busy' } as const)
    if (result.is === 'mail' && (gate === 'open' || ready.length === 0))
      ready.push({ delivery, mail: result.mail, until: result.until, since })
    else dropped.push(settlementOfDrop(delivery, result))
  }
  if (dropped.length > 0) await settle(tx, dropped)
  const isContended = claimed.length === 0 && (await isSomethingQueued(tx))
  return { gate, ready, count: claimed.length, isContended }
}

async function compose(
  tx: Db,
  composers: Record<string, Composer>,
  claimed: Claimed[]
): Promise<Map<number, Composed>> {
  const all = new Map<number, Composed>()
  for (const [kind, deliveries] of Map.groupBy(claimed, ({ kind }) => kind)) {
    const composer = composers[kind]
    if (!composer) throw new Error(`Nobody composes mails of the kind "${kind}"`)
    for (const [id, result] of await composer(tx, deliveries)) all.set(id, result)
  }
  return all
}

function settlementOfDrop(delivery: Claimed, result: Composed): Settlement {
  if (result.is !== 'dropped') return handBack(delivery, 1)
  return { ...handBack(delivery), state: result.state, reply: result.reason }
}

function take(run: Run, { gate, ready, count, isContended }: Taken) {
  run.isProbe = gate === 'probe'
  run.contentions = isContended ? run.contentions + 1 : 0
  if (gate === 'shut' || count === 0) run.claimAfter = Date.now() + (isContended ? 25 : 500)
  // what somebody typed goes in front of what waits
  const urgent = ready.filter(({ delivery }) => delivery.priority === 0)
  run.hand.unshift(...urgent)
  run.hand.push(...ready.filter(({ delivery }) => delivery.priority !== 0))
  // a set that was used up quickly may be larger next time: the wire never waits, and little is held
  const lasted = Date.now() - run.tookAt
  run.tookAt = Date.now()
  const grown = lasted < 250 ? run.appetite * 2 : lasted > 1_000 ? Math.ceil(run.appetite / 2) : run.appetite
  run.appetite = Math.max(run.deps.transport.lanes * 2, Math.min(500, grown))
}

/** Hands back what must not or need not go out from here. */
function giveUpHand(run: Run) {
  const limit = isStopping(run) && !run.isProbe ? Number.POSITIVE_INFINITY : Date.now() - longestInHand
  if (run.hand.length === 0 || (run.stops.size === 0 && run.hand[0]!.since > limit && run.hand.at(-1)!.since > limit))
    return
  const isGivenUp = ({ since, delivery }: Ready) => since <= limit || run.stops.has(delivery.batchId ?? 0)
  run.ended.push(...run.hand.filter(isGivenUp).map(({ delivery }) => handBack(delivery)))
  run.hand = run.hand.filter(ready => !isGivenUp(ready))
}

/** Lets as many go as there are lanes. */
function depart(run: Run) {
  while (run.flying < run.deps.transport.lanes && run.hand.length > 0 && run.fault === undefined)
    void fly(run, run.hand.shift()!)
}

async function fly(run: Run, { delivery, mail, until }: Ready) {
  run.flying += 1
  const isAsStored = mail.to === delivery.address && mail.deliveryId === delivery.id
  const outcome: Outcome = isAsStored
    ? await run.deps.transport.send(mail)
    : { is: 'recipient-failed', reply: 'The envelope is not the stored address: nothing was sent', suppress: false }
  run.flying -= 1
  run.ended.push(settlementOf(delivery, outcome, until))
  learn(run, delivery, outcome)
  depart(run)
  if (hasOccasion(run)) run.wake()
}

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
  if (times === equalRefusals)
    run.stops.set(batchId, `The mail server refused ${equalRefusals} mails in a row: ${outcome.reply}`)
}

/** Waits until there is something to do: enough to write, room for more, or 50 ms. */
function occasion(run: Run): Promise<void> {
  if (hasOccasion(run)) return Promise.resolve()
  return new Promise(resolve => {
    const timer = setTimeout(resolve, often)
    run.wake = () => {
      clearTimeout(timer)
      run.wake = () => {}
      resolve()
    }
  })
}

const hasOccasion = (run: Run) =>
  run.ended.length >= enough || wantsMore(run) || (run.flying + run.hand.length === 0 && !isWaitingItsTurn(run))

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
