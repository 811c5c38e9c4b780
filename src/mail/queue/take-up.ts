/** Taking mails up: leased and composed in one transaction, then in hand. */
import { attempt, type Db } from '../../db/client.ts'
import { isPassing, reasonOf } from '../../db/faults.ts'
import type { Claimed, Composed, Composer, Settlement } from '../delivery.ts'
import { release, settlementOf } from '../settlement.ts'
import { inOneLine } from '../wire/reply.ts'
import { claimDue, countLeased } from './claim-store.ts'
import { type Gate, passGate, readPacing, returnAllowance, takeAllowance } from './gate-store.ts'
import { allowedBy, giveBack, lookAtLimits, showAtWork } from './obey.ts'
import { leaseOf, type Ready, type Run } from './run.ts'
import { releaseExpired, settle, waitBriefly } from './store.ts'

const sweepEvery = 5_000 // ms between two looks for leases that ran out

export interface Taken {
  gate: Gate
  ready: Ready[]
  count: number
  perDomain: number | null
  /** What a second allows is used up, not what is due. */
  isPaced: boolean
  /** Milliseconds until the pace lets one more go. */
  wait: number
}

/** Claims what is due and has it composed; what need not go out any more is settled at once. */
export async function claim(tx: Db, run: Run): Promise<Taken> {
  const { deps, appetite } = run
  const leasedAt = Date.now()
  await waitBriefly(tx)
  await sweep(tx, run)
  await lookAtLimits(tx, run)
  const gate = await passGate(tx)
  const { perSecond, perDomain } = await readPacing(tx)
  const nothing = { gate, ready: [], count: 0, perDomain, isPaced: gate === 'open' && perSecond !== null, wait: 100 }
  if (gate === 'shut') return nothing
  const asked = gate === 'probe' ? 1 : perSecond === null ? appetite : await takeAllowance(tx, appetite)
  const { count: most, wait, isResting } = await allowedBy(tx, run, asked)
  if (perSecond !== null && gate === 'open') await returnAllowance(tx, asked - most)
  if (isResting) return { ...nothing, isPaced: false }
  if (most === 0) return { ...nothing, isPaced: true, wait: Math.min(1_000, Math.max(100, wait * 1000)) }
  const { claimed, leased } = await claimDue(tx, most, leaseOf(run), deps.mailHost)
  if (perSecond !== null) await returnAllowance(tx, most - claimed.length)
  await giveBack(tx, run, most - claimed.length)
  const composed = await (run.isWary ? composeApart(tx, run, claimed) : compose(tx, deps.composers, claimed))
  const ready: Ready[] = []
  const dropped: Settlement[] = []
  for (const delivery of claimed) {
    const result = composed.get(delivery.id) ?? ({ is: 'busy' } as const)
    const isWanted = gate === 'open' || ready.length === 0
    if (result.is === 'mail' && isWanted) ready.push({ delivery, mail: result.mail, until: result.until, leasedAt })
    else dropped.push(settlementOfDrop(delivery, result))
  }
  if (dropped.length > 0) await settle(tx, dropped)
  if (claimed.length > 0) await showAtWork(tx, run)
  await countLeased(tx, leased)
  const isPaced = (nothing.isPaced || run.isLimited) && claimed.length > 0
  return { ...nothing, ready, count: claimed.length, isPaced }
}

async function sweep(tx: Db, run: Run) {
  if (Date.now() - run.sweptAt < sweepEvery) return
  await releaseExpired(tx)
  run.sweptAt = Date.now()
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

/**
 * A mail that cannot be made must not keep the others from going out: halves of halves are tried until it is alone. Only
 * after a claim has failed, since each try costs two trips to the database more.
 */
async function composeApart(tx: Db, run: Run, claimed: Claimed[]): Promise<Map<number, Composed>> {
  try {
    return await attempt(tx, inner => compose(inner, run.deps.composers, claimed))
  } catch (error) {
    const [first] = claimed
    if (isPassing(error) || !first) throw error
    if (claimed.length === 1) return new Map([[first.id, unmade(run, first, error)]])
    const half = claimed.length >> 1
    const halves = [claimed.slice(0, half), claimed.slice(half)]
    const results: Map<number, Composed>[] = []
    for (const each of halves) results.push(await composeApart(tx, run, each))
    return new Map(results.flatMap(each => [...each]))
  }
}

/** Says so in the log and, in words, what its delivery is to say. */
export function unmade(run: Run, { id, kind }: Claimed, error: unknown) {
  run.deps.log.error({ delivery: id, kind, reason: reasonOf(error) }, 'A mail could not be made')
  return { is: 'not-composed' as const, reason: inOneLine(`This mail could not be made: ${reasonOf(error)}`) }
}

function settlementOfDrop(delivery: Claimed, result: Composed): Settlement {
  if (result.is === 'not-composed') return settlementOf(delivery, { is: 'not-composed', reply: result.reason }, null)
  if (result.is !== 'dropped') return release(delivery, 1)
  return { ...release(delivery), state: result.state, reply: result.reason }
}

/** Puts what was claimed in hand. */
export function take(run: Run, { gate, ready, count, perDomain, isPaced, wait }: Taken) {
  run.isProbe = gate === 'probe'
  run.isPaced = isPaced
  run.pace.perSecond = perDomain
  if (gate === 'shut' || count === 0) run.claimAfter = Date.now() + (isPaced ? wait : 500)
  // what somebody typed goes in front of what waits
  const urgent = ready.filter(({ delivery }) => delivery.priority === 0)
  run.hand.unshift(...urgent)
  run.hand.push(...ready.filter(({ delivery }) => delivery.priority !== 0))
  // a set that was used up quickly may be larger next time: the wire never waits, and little is held
  const lasted = Date.now() - run.tookAt
  run.tookAt = Date.now()
  const grown = lasted < 250 ? run.appetite * 2 : lasted > 1_000 ? Math.ceil(run.appetite / 2) : run.appetite
  run.appetite = Math.max(run.deps.transport.concurrency * 2, Math.min(500, grown))
}
