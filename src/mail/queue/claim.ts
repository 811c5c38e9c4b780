import { type Db, inTime, transaction } from '../../db/client.ts'
import { isPassing, reasonOf } from '../../db/faults.ts'
import { countLeased } from '../copies-store.ts'
import type { Claimed, Composed, Settlement } from '../delivery.ts'
import { release, settlementOf } from '../settlement.ts'
import { announce, applyLimits, limitClaim, returnUnused } from './apply-limits.ts'
import { claimDue } from './claim-store.ts'
import type { Claims, Ready } from './claims.ts'
import { compose, composeSingly } from './compose.ts'
import { databaseTimeoutMs } from './deps.ts'
import { type GateState, passGate, readPacing, returnAllowance, takeAllowance } from './gate-store.ts'
import { minClaimSize, type Run, releaseReady } from './run.ts'
import { applyWorkerSettings, releaseExpired, writeOutcomes } from './store.ts'

const sweepEveryMs = 5_000
const retryAfterMs = 250
const nothingDueMs = 500

interface Claim {
  state: GateState
  ready: Ready[]
  count: number
  perDomain: number | null
  /** Pacing kept us from claiming all that is due. */
  isPaced: boolean
  waitMs: number
}

/** After a failure nothing is lost: the transaction is undone, or its leases expire. */
export async function claimMore(run: Run): Promise<void> {
  const { deps, claims } = run
  claims.isClaiming = true
  try {
    const claim = await inTime(
      transaction(deps.db, tx => claimIn(tx, run)),
      3 * databaseTimeoutMs
    )
    makeReady(run, claim)
    claims.claimsSingly = false
    releaseReady(run)
  } catch (error) {
    const isFirst = !claims.claimsSingly && !isPassing(error)
    claims.claimsSingly = !isPassing(error)
    claims.notBefore = isFirst ? 0 : Date.now() + retryAfterMs
    deps.log.warn({ reason: reasonOf(error) }, 'Could not claim emails')
  }
  claims.isClaiming = false
}

async function claimIn(tx: Db, run: Run): Promise<Claim> {
  const leasedAt = Date.now()
  await applyWorkerSettings(tx)
  await sweep(tx, run.claims)
  await applyLimits(tx, run)
  const state = await passGate(tx)
  const { perSecond, perDomain } = await readPacing(tx)
  const isMetered = state === 'open' && perSecond !== null
  const nothing: Claim = { state, ready: [], count: 0, perDomain, isPaced: isMetered, waitMs: 100 }
  if (state === 'shut') return nothing
  const { count: max, waitSeconds, isResting } = await takeAllowances(tx, run, state, isMetered)
  if (isResting) return { ...nothing, isPaced: false }
  if (max === 0) return { ...nothing, isPaced: true, waitMs: Math.min(1_000, Math.max(100, waitSeconds * 1000)) }
  const { claimed, leased } = await claimDue(tx, max, run.claims.leaseSeconds, run.deps.mailHost)
  if (isMetered) await returnAllowance(tx, max - claimed.length)
  await returnUnused(tx, run, max - claimed.length)
  const ready = await composeClaimed(tx, run, claimed, leasedAt, state === 'probe' ? 1 : claimed.length)
  if (claimed.length > 0) await announce(tx, run)
  await countLeased(tx, leased)
  const isPaced = (isMetered || run.gate.hasServerPace) && claimed.length > 0
  return { ...nothing, ready, count: claimed.length, isPaced }
}

async function sweep(tx: Db, claims: Claims) {
  if (Date.now() - claims.sweptAt < sweepEveryMs) return
  await releaseExpired(tx)
  claims.sweptAt = Date.now()
}

/** What the settings and the mail server allow; what the server does not allow is returned to the settings' share. */
async function takeAllowances(tx: Db, run: Run, state: GateState, isMetered: boolean) {
  const { claimSize } = run.claims
  const asked = state === 'probe' ? 1 : isMetered ? await takeAllowance(tx, claimSize) : claimSize
  const allowed = await limitClaim(tx, run, asked)
  if (isMetered) await returnAllowance(tx, asked - allowed.count)
  return allowed
}

/** At most `max` emails to send. What is not to be sent is written immediately. */
async function composeClaimed(tx: Db, { deps, claims }: Run, claimed: Claimed[], leasedAt: number, max: number) {
  const composed = await (claims.claimsSingly ? composeSingly : compose)(tx, deps, claimed)
  const ready: Ready[] = []
  const dropped: Settlement[] = []
  for (const delivery of claimed) {
    const result = composed.get(delivery.id) ?? ({ is: 'busy' } as const)
    if (result.is === 'mail' && ready.length < max)
      ready.push({ delivery, mail: result.mail, until: result.until, leasedAt })
    else dropped.push(settlementOfDrop(delivery, result))
  }
  if (dropped.length > 0) await writeOutcomes(tx, dropped)
  return ready
}

function settlementOfDrop(delivery: Claimed, result: Composed): Settlement {
  if (result.is === 'not-composed') return settlementOf(delivery, { is: 'not-composed', reply: result.reason }, null)
  if (result.is !== 'dropped') return release(delivery, 1)
  return { ...release(delivery), state: result.state, reply: result.reason }
}

function makeReady({ deps, gate, claims }: Run, { state, ready, count, perDomain, isPaced, waitMs }: Claim) {
  gate.isProbe = state === 'probe'
  gate.isPaced = isPaced
  gate.domainPace.perSecond = perDomain
  if (state === 'shut' || count === 0) claims.notBefore = Date.now() + (isPaced ? waitMs : nothingDueMs)
  claims.add(ready, minClaimSize(deps))
}
