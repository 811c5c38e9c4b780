/** What a batch that is being sent says about its speed, its end and what holds it back. Pure. */

import { number, rateInWords } from '../../lib/words.ts'
import { heldInWords } from '../../mail/hold-page.ts'
import type { Pacing } from '../../mail/queue/gate-store.ts'
import { durationInWords } from '../../web/dates.ts'
import type { BatchRow } from '../store.ts'

export interface Known {
  /** Mails a second over the last minute. */
  rate: number | undefined
  pause: { since: Date; reason: string } | undefined
  waiting: { reply: string; count: number }[]
  pacing: Pacing
  /** What the mail server allows, in words. */
  limits: string[]
}

export function sendingOf(batch: BatchRow, { rate, pause, waiting, pacing, limits }: Known) {
  const open = batch.mailsQueued + batch.mailsSending
  const { mailsHeld } = batch
  const isFlowing = rate !== undefined && rate > 0 && open > 0
  return {
    rate: isFlowing ? `${rateInWords(rate)} mails a second, about ${durationInWords((open / rate) * 1000)} left` : null,
    held: [
      ...(mailsHeld > 0 ? [heldInWords(mailsHeld)] : []),
      ...(pause
        ? [`The mail server cannot be used at the moment: ${pause.reason} It is tried again every 30 seconds.`]
        : []),
      ...limits,
      ...(pacing.perSecond ? [`The settings allow ${rateInWords(pacing.perSecond)} mails a second.`] : []),
      ...(pacing.perDomain
        ? [`The settings allow ${rateInWords(pacing.perDomain)} mails a second to each domain.`]
        : []),
      ...waiting.map(
        ({ reply, count }) => `${number(count)} ${count === 1 ? 'waits' : 'wait'} for another try: ${reply}`
      )
    ]
  }
}
