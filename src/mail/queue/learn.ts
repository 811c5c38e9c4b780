/** What one outcome says about more than its own mail: the domain, the mail server, the batch. */
import type { Claimed, Outcome } from '../delivery.ts'
import { giveUpHand, noteFault, type Run } from './run.ts'

const equalRefusals = 10
/** Of a probe: whether the mail server works again is still open. */
const saysNothing = new Set<Outcome['is']>(['throttled', 'set-aside', 'not-composed'])

/** Notes it in the run: how fast to go on, whether at all, and which batch to stop. */
export function learn(run: Run, { batchId }: Claimed, outcome: Outcome): void {
  if (outcome.is === 'throttled') run.isTold = true
  if (outcome.is === 'transport-fault') {
    if (outcome.isCrowded && run.fault === undefined) run.crowd ??= outcome.reply
    else noteFault(run, outcome.reply)
  } else if (run.isProbe && !saysNothing.has(outcome.is)) {
    run.isRecovered = true
    run.isProbe = false
    run.deps.log.info({}, 'The mail server works again')
  }
  if (run.isTold || run.crowd !== undefined) giveUpHand(run)
  if (batchId === null) return
  if (outcome.is !== 'policy')
    return void ((outcome.is === 'sent' || outcome.is === 'kept') && run.refusals.delete(batchId))
  const gist = gistOf(outcome.reply)
  const before = run.refusals.get(batchId)
  const times = before?.gist === gist ? before.times + 1 : 1
  run.refusals.set(batchId, { gist, times })
  if (times !== equalRefusals) return
  run.stops.set(batchId, `The mail server refused ${equalRefusals} mails in a row: ${outcome.reply}`)
  giveUpHand(run)
}

/** Two refusals are equal when they differ only in addresses, hosts and numbers that the server mixes in. */
function gistOf(reply: string): string {
  const [, codes, words] = /^([\d. -]*)(.*)$/s.exec(reply)!
  return `${codes!.trim()} ${words!
    .replace(/\S*[\d@<>]\S*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase()}`
}
