import { number, rateInWords } from '../../lib/words.ts'
import { heldInWords } from '../../mail/hold-page.ts'
import type { Pacing } from '../../mail/queue/gate-store.ts'
import { durationInWords } from '../../web/dates.ts'
import type { BatchRow } from '../store.ts'

export interface Known {
  rate: number | undefined
  pause: { since: Date; reason: string } | undefined
  waiting: { reply: string; count: number }[]
  pacing: Pacing
  limits: string[]
}

export function sendingOf(batch: BatchRow, { rate, pause, waiting, pacing, limits }: Known) {
  const open = batch.mailsQueued + batch.mailsSending
  const { mailsHeld } = batch
  const isFlowing = rate !== undefined && rate > 0 && open > 0
  return {
    rate: isFlowing
      ? `${rateInWords(rate)} emails a second, about ${durationInWords((open / rate) * 1000)} left`
      : null,
    held: [
      ...(mailsHeld > 0 ? [heldInWords(mailsHeld)] : []),
      ...(pause ? [`Could not use the mail server: ${pause.reason} Rollcall tries again every 30 seconds.`] : []),
      ...limits,
      ...(pacing.perSecond ? [`Settings limit sending to ${rateInWords(pacing.perSecond)} emails a second.`] : []),
      ...(pacing.perDomain
        ? [`Settings limit sending to ${rateInWords(pacing.perDomain)} emails a second per domain.`]
        : []),
      ...waiting.map(
        ({ reply, count }) => `${number(count)} ${count === 1 ? 'waits' : 'wait'} for another try: ${reply}`
      )
    ]
  }
}
