/** What one outcome says about more than its own mail: the domain, the mail server, the batch. */
import { type Claimed, gistOf, type Outcome } from '../delivery.ts'
import { giveUpHand, type Run } from './run.ts'

const equalRefusals = 10

/** Notes it in the run: how fast to go on, whether at all, and which batch to stop. */
export function learn(run: Run, { address, batchId }: Claimed, outcome: Outcome): void {
  if (outcome.is === 'sent' || outcome.is === 'throttled') run.pace.learn(address, isAboutDomain(outcome))
  if (outcome.is === 'transport-fault') {
    if (run.fault === undefined)
      run.deps.log.error({ reason: outcome.reply }, 'The mail server cannot be used, mails are held')
    run.fault ??= outcome.reply
  } else if (run.isProbe && outcome.is !== 'throttled' && outcome.is !== 'unmade') {
    run.isRecovered = true
    run.isProbe = false
    run.deps.log.info({}, 'The mail server works again')
  }
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

/** 421 is about the connection; 4.7.x at a recipient is about where that mail goes. */
const isAboutDomain = (outcome: Outcome) => outcome.is === 'throttled' && !outcome.reply.startsWith('421')
