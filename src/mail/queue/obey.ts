/** Keeps a run within what the mail server allows, and all workers informed of it. */
import { type Db, inTime, transaction } from '../../db/client.ts'
import { reasonOf } from '../../db/faults.ts'
import { beAtWork, keepAsked, returnServerAllowance, shareLimits, takeServerAllowance } from './limits-store.ts'
import { noteFault, type Run } from './run.ts'

const lookEvery = 2_000 // ms
const patience = 10_000 // ms
const whileCrowded = 5_000 // ms

/** In the transaction of a claim: what of the server's limits is this worker's. */
export async function lookAtLimits(tx: Db, run: Run): Promise<void> {
  const { transport } = run.deps
  if (!transport.peer || !isTime(run.obeyedAt)) return
  const { limits } = await shareLimits(tx, transport.peer)
  run.obeyedAt = Date.now()
  run.isLimited = limits.perMinute !== null || limits.rest > 0
  transport.applyLimits?.(limits)
}

const isTime = (moment: number) => Date.now() - moment > lookEvery

/** In the transaction of a claim that brought something. */
export async function showAtWork(tx: Db, run: Run): Promise<void> {
  const { peer } = run.deps.transport
  if (!peer || !isTime(run.shownAt)) return
  await beAtWork(tx, peer)
  run.shownAt = Date.now()
}

/**
 * No connection came about. Where other workers are sending they have all that the server allows, and the mails are theirs
 * for now; else the mail server is out of reach.
 */
export async function judgeCrowd(run: Run): Promise<void> {
  const { crowd } = run
  if (crowd === undefined) return
  try {
    const { peer } = run.deps.transport
    const { others } = peer ? await inTime(shareLimits(run.deps.db, peer), patience) : { others: 0 }
    if (others > 0) run.claimAfter = Date.now() + whileCrowded
    else noteFault(run, crowd)
    run.crowd = undefined
  } catch (error) {
    run.deps.log.warn({ reason: reasonOf(error) }, 'The limits of the mail server could not be read, trying again')
  }
}

/** Writes what the server asked for since the last time. What cannot be written is tried again. */
export async function noteAsked(run: Run): Promise<void> {
  const { transport, db, log } = run.deps
  const { peer } = transport
  const asked = peer?.learned.splice(0) ?? []
  if (!peer || asked.length === 0) return
  try {
    await inTime(
      transaction(db, tx => keepAsked(tx, peer, asked)),
      patience
    )
    run.obeyedAt = 0
    run.isLimited ||= asked.some(({ about }) => about === 'pace')
    for (const each of asked) log.info({ server: peer.server, ...each }, 'The mail server has a limit')
  } catch (error) {
    peer.learned.unshift(...asked)
    log.warn({ reason: reasonOf(error) }, 'A limit of the mail server could not be written down, trying again')
  }
}

/** How many mails may be taken up now of at most `most`, by the pace that the server asked for. */
export async function allowedBy(tx: Db, run: Run, most: number) {
  const server = run.deps.transport.peer?.server
  if (!server || !run.isLimited || most === 0) return { count: most, wait: 0, isResting: false }
  return takeServerAllowance(tx, server, most)
}

export async function giveBack(tx: Db, run: Run, count: number): Promise<void> {
  const server = run.deps.transport.peer?.server
  if (server && run.isLimited) await returnServerAllowance(tx, server, count)
}
