/** What the outcome of one attempt means for its delivery. Pure. */
import { backoffSeconds } from '../lib/backoff.ts'
import type { Claimed, Outcome, Settlement } from './delivery.ts'

/** How often a mail that cannot be made is tried. */
const mostMakings = 3

/** What an outcome means for its delivery. `random` spreads the next attempts. */
export function settlementOf(
  delivery: Claimed,
  outcome: Outcome,
  until: string | null,
  random = Math.random()
): Settlement {
  const base = {
    delivery,
    reply: outcome.reply,
    wait: 0,
    isUncounted: false,
    isKept: false,
    mayHaveArrived: false,
    suppress: false,
    until
  }
  switch (outcome.is) {
    case 'sent':
      return { ...base, state: 'sent' }
    case 'kept':
      return { ...base, state: 'sent', isKept: true }
    case 'recipient-failed':
      return { ...base, state: 'failed', suppress: outcome.suppress }
    case 'policy':
      return { ...base, state: 'failed' }
    case 'deferred':
      // not a second too early for a server that named the time, and not all at once
      if (outcome.wait !== undefined) return { ...base, state: 'deferred', wait: outcome.wait * (1 + random / 5) + 1 }
      return { ...base, state: 'deferred', wait: backoffSeconds(delivery.attempt, random) }
    case 'not-sent':
      return { ...base, state: 'deferred', wait: backoffSeconds(delivery.attempt, random) }
    case 'throttled':
      return { ...base, state: 'queued', wait: outcome.wait ?? 1, isUncounted: true }
    case 'set-aside':
    case 'transport-fault':
      return { ...base, state: 'queued', wait: outcome.wait ?? 0, isUncounted: true }
    case 'unmade':
      return delivery.attempt >= mostMakings
        ? { ...base, state: 'failed' }
        : { ...base, state: 'deferred', wait: backoffSeconds(delivery.attempt, random) }
    case 'unknown':
      // once more with the same link and Message-ID; lost twice, it stays unknown
      return delivery.mayHaveArrived
        ? { ...base, state: 'unknown', mayHaveArrived: true }
        : { ...base, state: 'deferred', wait: backoffSeconds(1, random), mayHaveArrived: true }
  }
}

/** Gives a delivery back as if it had never been taken. */
export function handBack(delivery: Claimed, wait = 0): Settlement {
  const nothing = { reply: null, isKept: false, mayHaveArrived: false, suppress: false, until: null }
  return { delivery, state: 'queued', wait, isUncounted: true, ...nothing }
}
