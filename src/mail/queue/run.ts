/** What a run of the mail worker knows and when it has something to do. */
import type { Database } from '../../db/client.ts'
import type { Claimed, Composer, Log, Mail, MailTransport, Settlement } from '../delivery.ts'
import { release } from '../settlement.ts'
import { DomainPace } from './pace.ts'

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
  /** Seconds a delivery is ours, unless we renew it while it is on its way: what a dead worker held is soon sent. */
  leaseSeconds?: number
}

/** A mail in hand or on its way. */
export interface Ready {
  delivery: Claimed
  mail: Mail
  until: string | null
  /** When we got the lease, or renewed it (ms). */
  leasedAt: number
  /** When it left our hand (ms). */
  leftAt?: number
  /** Its person's row says that it is on its way. */
  isShown?: boolean
}

/** What a run knows: mails in hand and on their way, attempts that ended and are not written yet. */
export interface Run {
  deps: DeliverDeps
  hand: Ready[]
  flying: Set<Ready>
  ended: Settlement[]
  /** How many of those that ended are being written at this moment. */
  writing: number
  settled: number
  /** How many to claim at once: about half a second of work. */
  appetite: number
  isClaiming: boolean
  /** The last claim failed, perhaps because of a mail that cannot be made: look for it. */
  isWary: boolean
  tookAt: number
  sweptAt: number
  /** Not before this moment (ms) another claim: the last one found nothing. */
  claimAfter: number
  fault: string | undefined
  isRecovered: boolean
  isProbe: boolean
  /** More may be due than the pacing lets us take up at the moment. */
  isPaced: boolean
  pace: DomainPace
  /** When we last looked at what the server allows (ms), and whether it asked for a pace. */
  obeyedAt: number
  isLimited: boolean
  shownAt: number
  /** Why no connection came about, until it is known whether other workers have some. */
  crowd: string | undefined
  /** The server asked for patience: what is in hand goes back. */
  isTold: boolean
  refusals: Map<number, { gist: string; times: number }>
  stops: Map<number, string>
  /** Batches that somebody holds; asked for every half second while mails are in hand. */
  held: Set<number>
  lookedAt: number
  renewedAt: number
  wake: () => void
}

const often = 50 // ms between two writings of what ended
const enough = 100 // ended attempts that are written at once without waiting
const mostUnwritten = 500 // ended attempts; were we to end now, they would be sent twice

export function newRun(deps: DeliverDeps): Run {
  const base = {
    hand: [],
    ended: [],
    writing: 0,
    settled: 0,
    claimAfter: 0,
    isClaiming: false,
    isWary: false,
    tookAt: 0,
    sweptAt: 0,
    renewedAt: 0,
    fault: undefined,
    isRecovered: false,
    isProbe: false,
    isPaced: false,
    obeyedAt: 0,
    isLimited: false,
    shownAt: 0,
    crowd: undefined,
    isTold: false
  }
  return {
    deps,
    ...base,
    appetite: deps.transport.concurrency * 2,
    flying: new Set(),
    refusals: new Map(),
    stops: new Map(),
    pace: new DomainPace(),
    held: new Set<number>(),
    lookedAt: Date.now(),
    wake: () => {}
  }
}

export const isStopping = (run: Run) => run.fault !== undefined || run.isProbe || run.deps.signal?.aborted === true
export const wantsMore = (run: Run) =>
  !run.isClaiming && !isStopping(run) && !isTold(run) && run.hand.length < run.appetite && Date.now() >= run.claimAfter
/** The mail server is out of reach: all mails are held. */
export function noteFault(run: Run, reason: string): void {
  if (run.fault === undefined) run.deps.log.error({ reason }, 'The mail server cannot be used, mails are held')
  run.fault ??= reason
}

/** What the server asked for and is not written yet. */
const asksOf = (run: Run) => run.deps.transport.peer?.learned.length ?? 0
/** It is not known yet what the server wants from now on. */
const isTold = (run: Run) => run.isTold || run.crowd !== undefined || asksOf(run) > 0
const isIdle = (run: Run) => !run.isClaiming && run.flying.size + run.hand.length === 0
export const isOver = (run: Run) =>
  isIdle(run) &&
  run.ended.length === 0 &&
  !isTold(run) &&
  (isStopping(run) || (Date.now() < run.claimAfter && !run.isPaced))

/** Waits until there is something to do: enough to write, room for more, or 50 ms. */
export function occasion(run: Run): Promise<void> {
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

export const hasOccasion = (run: Run) => run.ended.length >= enough || wantsMore(run) || isIdle(run)

const lookEvery = 500 // ms

/** The batches of the mails in hand, when it is time to ask whether somebody holds one of them. */
export function batchesToLookAt(run: Run): number[] {
  if (run.hand.length === 0 || Date.now() - run.lookedAt < lookEvery) return []
  run.lookedAt = Date.now()
  return [...new Set(run.hand.flatMap(({ delivery }) => delivery.batchId ?? []))]
}

export const leaseOf = ({ deps }: Run) => deps.leaseSeconds ?? 60
/** What is older stays in hand until it is given up: another worker, or a later and more urgent order, may have it. */
const isTooOld = (run: Run, moment: number) => moment < Date.now() - leaseOf(run) * 500

/** May one more go? Not while the database keeps us from writing down how many others ended. */
export const mayDepart = (run: Run) =>
  run.flying.size < run.deps.transport.concurrency + (run.deps.transport.pipelined ?? 0) &&
  run.hand.length > 0 &&
  run.fault === undefined &&
  run.crowd === undefined &&
  run.ended.length + run.writing < mostUnwritten

/** The next one that is surely still ours and whose domain's turn it is. */
export function nextToGo(run: Run): Ready | undefined {
  const index = run.hand.findIndex(({ leasedAt, mail }) => !isTooOld(run, leasedAt) && run.pace.takeTurn(mail.to))
  return index < 0 ? undefined : run.hand.splice(index, 1)[0]
}

/** Hands back what must not or need not go out from here. */
export function giveUpHand(run: Run) {
  const isAll = run.isTold || run.crowd !== undefined || (isStopping(run) && !run.isProbe)
  const isOld = ({ leasedAt }: Ready) => isAll || isTooOld(run, leasedAt)
  const isHeld = run.stops.size + run.held.size > 0
  if (run.hand.length === 0 || (!isHeld && !isOld(run.hand[0]!) && !isOld(run.hand.at(-1)!))) return
  const isGivenUp = (ready: Ready) =>
    isOld(ready) || run.stops.has(ready.delivery.batchId ?? 0) || run.held.has(ready.delivery.batchId ?? 0)
  run.ended.push(...run.hand.filter(isGivenUp).map(({ delivery }) => release(delivery)))
  run.hand = run.hand.filter(ready => !isGivenUp(ready))
}
