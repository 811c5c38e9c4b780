import { keysIn } from '../../lib/known.ts'
import { counted, number } from '../../lib/words.ts'
import { deliveryBadges, sentBadge } from '../../mail/delivery-badges.ts'
import { bar } from '../../web/charts.ts'
import { durationInWords, showTime } from '../../web/dates.ts'
import { type BatchState, batchBadges, isRunning } from '../batch.ts'
import { type Verdict, verdictWords } from '../recipient.ts'
import type { BatchRow } from '../store.ts'
import { leftOf, mailCounts, sentInWords, unsentInWords, verdictOf } from './sent-page.ts'

export const verdictLooks: Record<Verdict, { tone: string; icon: string }> = {
  malformed: { tone: 'bad', icon: 'alert' },
  foreign: { tone: 'warn', icon: 'globe' },
  duplicate: { tone: 'mute', icon: 'copy' },
  active: { tone: 'info', icon: 'people' },
  deactivated: { tone: 'mute', icon: 'minus' },
  suppressed: { tone: 'bad', icon: 'minus' },
  pending: { tone: 'info', icon: 'clock' },
  invite: { tone: 'good', icon: 'check' }
}

export const unsentLook = { tone: 'mute', icon: 'minus' }

/** Good outcomes come first, in figures and bar alike. */
const verdictOrder = keysIn(verdictWords).reverse()
const deliveryOrder = keysIn(deliveryBadges)

/** With the name of its creator and, if its group is still synced, the group. */
export type BatchWithNames = BatchRow & { creatorName: string | null; groupName: string | null }

export function headingOf(batch: BatchRow): string {
  const mails = mailCounts(batch)
  const open = mails.queued + mails.sending + mails.held + mails.deferred
  const failed = mails.failed + mails.bounced
  const headings: Record<BatchState, string> = {
    receiving: 'Uploading the file',
    incomplete: 'The upload was interrupted: nothing was sent',
    checking: `${number(batch.judged)} of ${counted(batch.lines, 'line', 'lines')} checked`,
    checked: `${counted(batch.invite, 'invitation', 'invitations')} ready to send`,
    sending: `${counted(open, 'invitation', 'invitations')} ${mails.held > 0 ? 'on hold' : 'on the way'}`,
    paused: `Paused: ${counted(open, 'invitation', 'invitations')} waiting`,
    stopped: `Stopped: ${counted(open, 'invitation', 'invitations')} held back`,
    cancelled: `Canceled: ${unsentInWords(batch)}`,
    done: batch.invite === 0 ? 'Nothing to send' : sentInWords(batch) + (failed > 0 ? `, ${number(failed)} failed` : '')
  }
  return headings[batch.state]
}

export function factsOf(batch: BatchWithNames, timeZone: string) {
  const sources = {
    typed: 'Invited by hand',
    file: batch.fileName ?? 'File',
    group: batch.groupName ?? 'Directory group',
    correction: 'Corrected lines'
  }
  return {
    source: sources[batch.source],
    lines: counted(batch.lines, 'address', 'addresses'),
    creator: batch.creatorName ?? 'a former user',
    created: showTime(batch.createdAt, timeZone),
    took: batch.finishedAt ? durationInWords(batch.finishedAt.getTime() - batch.createdAt.getTime()) : null,
    badge: batchBadges[batch.state],
    isRunning: isRunning(batch.state),
    stopReason: batch.stopReason
  }
}

/** Every verdict with its count, as filters; `corrected`: how many of them another batch took. */
export function verdictFilters(
  batch: BatchRow,
  chosen: string | undefined,
  base: string,
  corrected: Partial<Record<Verdict, number>>
) {
  const noteOn = (verdict: Verdict) => (corrected[verdict] ? `, ${number(corrected[verdict])} corrected` : '')
  return verdictOrder.map(verdict => ({
    name: verdict,
    text: verdictOf(batch, verdict).name,
    note: verdictOf(batch, verdict).meaning + noteOn(verdict),
    value: batch[verdict],
    shown: number(batch[verdict]),
    ...(verdict === 'invite' && batch.invite > 0 && unsentOf(batch) === batch.invite
      ? unsentLook
      : verdictLooks[verdict]),
    isChosen: chosen === verdict,
    // checks in the browser find these attributes; a zero is not shown
    isShown: batch[verdict] > 0 || verdict === 'invite' || chosen === verdict,
    href: chosen === verdict ? base : `${base}?verdict=${verdict}`
  }))
}

const unsentOf = (batch: BatchRow) => (batch.state === 'cancelled' ? leftOf(batch).unsent : 0)

export function barOf(batch: BatchRow): string {
  const unsent = unsentOf(batch)
  const parts = verdictOrder.flatMap(verdict =>
    verdict === 'invite'
      ? [
          { value: batch.invite - unsent, className: verdictLooks.invite.tone },
          { value: unsent, className: unsentLook.tone }
        ]
      : [{ value: batch[verdict], className: verdictLooks[verdict].tone }]
  )
  return bar(parts, batch.lines, 'bar tall', 0.3)
}

/** Progress in words and as a part of the whole (0: nothing to measure). */
export function progressOf(batch: BatchRow) {
  const { judged, lines, invite, state } = batch
  // not the number to invite: half way through a checked batch some have no email yet
  const { queued, sending, held, deferred, ...ended } = mailCounts(batch)
  const settled = Object.values(ended).reduce((sum, count) => sum + count, 0)
  const part = (text: string, value = 0, max = 0) => ({ text, value, max, label: 'Progress' })
  if (state === 'receiving') return part(`${counted(lines, 'line has', 'lines have')} arrived`)
  if (state === 'incomplete') return part(`${counted(lines, 'line', 'lines')} had arrived`)
  if (judged < lines) {
    const text = `${number(judged)} of ${counted(lines, 'line', 'lines')} checked`
    return state === 'cancelled' ? part(text) : part(text, judged, lines)
  }
  if (batch.action === 'check') return part(`${counted(judged, 'line', 'lines')} checked, nothing sent`)
  if (invite === 0) return part('No email to send')
  const done = state === 'cancelled' ? settled - ended.cancelled : settled
  const text = `${number(done)} of ${counted(invite, 'email', 'emails')} done`
  return batch.finishedAt ? part(text) : part(text, settled, invite)
}

export function deliveryCounts(batch: BatchRow, chosen: string | undefined, base: string) {
  const counts = mailCounts(batch)
  const sent = sentBadge({ hasLeft: batch.mailsSent > batch.mailsKept, hasKept: batch.mailsKept > 0 })
  return deliveryOrder.map(state => ({
    name: state,
    value: counts[state],
    shown: number(counts[state]),
    ...(state === 'sent' ? sent : deliveryBadges[state]),
    isChosen: chosen === state,
    href: chosen === state ? base : `${base}?delivery=${state}`
  }))
}
