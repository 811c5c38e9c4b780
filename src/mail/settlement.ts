import { backoffSeconds } from '../lib/backoff.ts'
import type { Claimed, Outcome, Settlement } from './delivery.ts'

const maxAttempts = 3

export function settlementOf(
  delivery: Claimed,
  outcome: Outcome,
  until: string | null,
  random = Math.random()
): Settlement {
  const base = settled(delivery, outcome.reply, until)
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
      // never before the time that the server named, and not all at once
      if (outcome.wait !== undefined) return { ...base, state: 'deferred', wait: outcome.wait * (1 + random / 5) + 1 }
      return { ...base, state: 'deferred', wait: backoffSeconds(delivery.attempt, random) }
    case 'not-sent':
      return { ...base, state: 'deferred', wait: backoffSeconds(delivery.attempt, random) }
    case 'throttled':
      return { ...base, state: 'queued', wait: outcome.wait ?? 1, isUncounted: true }
    case 'set-aside':
    case 'transport-fault':
      return { ...base, state: 'queued', wait: outcome.wait ?? 0, isUncounted: true }
    case 'not-composed':
      return delivery.attempt >= maxAttempts
        ? { ...base, state: 'failed' }
        : { ...base, state: 'deferred', wait: backoffSeconds(delivery.attempt, random) }
    case 'unknown':
      // tried once more with the same link and Message-ID; after that it stays unknown
      return delivery.mayHaveArrived
        ? { ...base, state: 'unknown', mayHaveArrived: true }
        : { ...base, state: 'deferred', wait: backoffSeconds(1, random), mayHaveArrived: true }
  }
}

/** Returns a delivery to the queue as if it had never been claimed. */
export function release(delivery: Claimed, wait = 0): Settlement {
  return { ...settled(delivery, null, null), state: 'queued', wait, isUncounted: true }
}

const settled = (delivery: Claimed, reply: string | null, until: string | null) => ({
  delivery,
  reply,
  wait: 0,
  isUncounted: false,
  isKept: false,
  mayHaveArrived: false,
  suppress: false,
  until
})
