/** What became of the mails of a batch, in words and figures. Pure. */
import { counted, number } from '../../lib/words.ts'
import type { deliveryBadges } from '../../mail/delivery-badges.ts'
import type { BatchState } from '../batch.ts'
import { type Verdict, verdictWords } from '../recipient.ts'
import type { BatchRow } from '../store.ts'

/** Mails by state: what each of a batch's invitations has come to. */
export function mailCounts(batch: BatchRow): Record<keyof typeof deliveryBadges, number> {
  return {
    queued: batch.mailsQueued,
    sending: batch.mailsSending,
    held: batch.mailsHeld,
    sent: batch.mailsSent,
    deferred: batch.mailsDeferred,
    failed: batch.mailsFailed,
    unknown: batch.mailsUnknown,
    bounced: batch.mailsBounced,
    suppressed: batch.mailsSuppressed,
    cancelled: batch.mailsCancelled
  }
}

/** Of a canceled batch: how many of its invitations went out, and how many never will. */
export function leftOf(batch: BatchRow) {
  const { cancelled, ...others } = mailCounts(batch)
  const went = Object.values(others).reduce((sum, count) => sum + count, 0)
  return { sent: batch.mailsSent - batch.mailsKept, kept: batch.mailsKept, unsent: Math.max(0, batch.invite - went) }
}

/** "7 invitations sent", "3 invitations kept in the outbox", or both. */
export function sentInWords(batch: BatchRow): string {
  const kept = batch.mailsKept
  const sent = batch.mailsSent - kept
  if (kept === 0) return `${counted(sent, 'invitation', 'invitations')} sent`
  if (sent === 0) return `${counted(kept, 'invitation', 'invitations')} kept in the outbox`
  return `${counted(sent, 'invitation', 'invitations')} sent, ${number(kept)} kept in the outbox`
}

/** "181 invitations sent, 219 not sent". */
export function unsentInWords(batch: BatchRow): string {
  const { unsent } = leftOf(batch)
  if (batch.mailsSent === 0) return unsent === 0 ? 'nothing was sent' : `none of ${number(unsent)} invitations sent`
  return unsent === 0 ? sentInWords(batch) : `${sentInWords(batch)}, ${number(unsent)} not sent`
}

const hasInvited = (state: BatchState) => ['sending', 'paused', 'stopped', 'done', 'cancelled'].includes(state)

export const notSent = 'Not sent'

/** What a line's verdict is called: "Not sent" for somebody who was to be invited and whose mail was called off. */
export function verdictOfLine(state: BatchState, verdict: Verdict, delivery: string | null): string {
  if (verdict !== 'invite' || !hasInvited(state)) return verdictWords[verdict].name
  const isUnsent = delivery === 'cancelled' || delivery === 'suppressed' || (state === 'cancelled' && delivery === null)
  return isUnsent ? notSent : 'Invited'
}

/** A verdict's name and what became of its lines: of those who were to be invited, how many mails went out. */
export function verdictOf(batch: BatchRow, verdict: Verdict) {
  if (verdict !== 'invite' || !hasInvited(batch.state)) return verdictWords[verdict]
  const { sent, kept, unsent } = leftOf(batch)
  const inOutbox = kept > 0 ? [`${number(kept)} in the outbox`] : []
  if (batch.state === 'cancelled')
    return {
      name: 'To invite',
      meaning: [`${number(sent)} sent`, ...inOutbox, `${number(unsent)} not sent`].join(', ')
    }
  const all = `${number(sent)} of ${counted(batch.invite, 'email', 'emails')} sent`
  return { name: 'Invited', meaning: [all, ...inOutbox].join(', ') }
}

/** What to do about mails that were kept in the outbox; null where there are none. */
export function outboxOf({ mailsKept }: BatchRow, hasMailServer: boolean, mayAct: boolean) {
  if (mailsKept === 0) return null
  const emails = counted(mailsKept, 'email is', 'emails are')
  return hasMailServer
    ? {
        heading: `${emails} kept in the outbox and never left.`,
        text: `No mail server was configured at the time.${mayAct ? ' One is now: send them with the button above.' : ''}`,
        href: null
      }
    : {
        heading: `Email is off: ${emails} kept in the outbox.`,
        text: 'No one received them. Read or download them in the outbox, or configure a mail server (SMTP_URL and MAIL_FROM) and send them from this page.',
        href: mayAct ? '/outbox' : null
      }
}
