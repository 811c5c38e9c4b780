import { type Db, inTime, transaction } from '../../db/client.ts'
import { reasonOf } from '../../db/faults.ts'
import { databaseTimeoutMs } from './deps.ts'
import {
  type Allowed,
  announceWorker,
  raiseLimits,
  readShare,
  returnServerAllowance,
  saveLimits,
  takeServerAllowance
} from './limits-store.ts'
import type { Run } from './run.ts'

const everyMs = 2_000
const crowdedPauseMs = 5_000

/** In the transaction of a claim: reads this worker's share of the limits, every two seconds. */
export async function applyLimits(tx: Db, { deps, gate }: Run): Promise<void> {
  const { transport } = deps
  if (!transport.peer || !isDue(gate.limitsReadAt)) return
  const { limits } = await readShare(tx, transport.peer)
  gate.limitsReadAt = Date.now()
  gate.hasServerPace = limits.perMinute !== null || limits.rest > 0
  transport.applyLimits?.(limits)
}

const isDue = (lastAt: number) => Date.now() - lastAt > everyMs

/** In the transaction of a claim that found emails: tells the other workers that this one is sending. */
export async function announce(tx: Db, { deps, gate }: Run): Promise<void> {
  const { peer } = deps.transport
  if (!peer || !isDue(gate.announcedAt)) return
  await announceWorker(tx, peer)
  await raiseLimits(tx, peer)
  gate.announcedAt = Date.now()
}

/** No connection could be opened: other senders have all that the server allows, or it is unreachable. */
export async function resolveCrowding({ deps, gate, claims }: Run): Promise<void> {
  const { crowdedReply } = gate
  if (crowdedReply === undefined) return
  try {
    const { peer } = deps.transport
    const { others } = peer ? await inTime(readShare(deps.db, peer), databaseTimeoutMs) : { others: 0 }
    if (others > 0) claims.notBefore = Date.now() + crowdedPauseMs
    else gate.noteFault(crowdedReply)
    gate.crowdedReply = undefined
  } catch (error) {
    deps.log.warn({ reason: reasonOf(error) }, 'Could not read the limits of the mail server, trying again')
  }
}

export async function writeLimits({ deps, gate }: Run): Promise<void> {
  const { transport, db, log } = deps
  const { peer } = transport
  const learned = peer?.learned.splice(0) ?? []
  if (!peer || learned.length === 0) return
  try {
    await inTime(
      transaction(db, tx => saveLimits(tx, peer, learned)),
      databaseTimeoutMs
    )
    gate.limitsReadAt = 0
    gate.hasServerPace ||= learned.some(({ about }) => about === 'pace')
    for (const each of learned) log.info({ server: peer.server, ...each }, 'The mail server has a limit')
  } catch (error) {
    peer.learned.unshift(...learned)
    log.warn({ reason: reasonOf(error) }, 'Could not write a limit of the mail server, trying again')
  }
}

/** How many of at most `max` emails may be claimed now, by the pace that the server has set. */
export async function limitClaim(tx: Db, { deps, gate }: Run, max: number): Promise<Allowed> {
  const server = deps.transport.peer?.server
  if (!server || !gate.hasServerPace || max === 0) return { count: max, waitSeconds: 0, isResting: false }
  return takeServerAllowance(tx, server, max)
}

export async function returnUnused(tx: Db, { deps, gate }: Run, count: number): Promise<void> {
  const server = deps.transport.peer?.server
  if (server && gate.hasServerPace) await returnServerAllowance(tx, server, count)
}
