import type { Claimed, Outcome } from '../delivery.ts'
import type { Gate } from './gate.ts'
import type { Holds } from './holds.ts'
import { type Run, releaseReady } from './run.ts'

/** After a probe with one of these outcomes it is still unknown whether the mail server works. */
const provesNothing = new Set<Outcome['is']>(['throttled', 'set-aside', 'not-composed'])

export function applyFaultRules(run: Run, delivery: Claimed, outcome: Outcome): void {
  const { gate, holds } = run
  judgeServer(gate, outcome)
  const isStopped = judgeBatch(holds, delivery, outcome)
  if (isStopped || gate.isThrottled || gate.crowdedReply !== undefined) releaseReady(run)
}

function judgeServer(gate: Gate, outcome: Outcome) {
  if (outcome.is === 'throttled') gate.isThrottled = true
  if (outcome.is === 'transport-fault') {
    if (outcome.isCrowded && gate.fault === undefined) gate.crowdedReply ??= outcome.reply
    else gate.noteFault(outcome.reply)
  } else if (gate.isProbe && !provesNothing.has(outcome.is)) gate.noteRecovery()
}

function judgeBatch(holds: Holds, { batchId }: Claimed, { is, reply }: Outcome): boolean {
  if (batchId === null) return false
  if (is === 'policy') return holds.noteRefusal(batchId, gistOf(reply), reply)
  if (is === 'sent' || is === 'kept') holds.noteSent(batchId)
  return false
}

/** Two refusals are equal when they differ only in the addresses, hosts and numbers that the server puts in. */
function gistOf(reply: string): string {
  const words = reply.replace(/^[\d. -]*/, '')
  const codes = reply.slice(0, reply.length - words.length)
  return `${codes.trim()} ${words
    .replace(/\S*[\d@<>]\S*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase()}`
}
