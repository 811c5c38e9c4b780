import { counted, number } from '../../lib/words.ts'
import type { deliveryBadges } from '../../mail/delivery-badges.ts'
import type { BatchState } from '../batch.ts'
import { type Verdict, verdictWords } from '../recipient.ts'
import type { BatchRow } from '../store.ts'

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

/** Of a canceled batch: how many invitations were sent, and how many never will be. */
export function leftOf(batch: BatchRow) {
  const { cancelled, ...others } = mailCounts(batch)
  const went = Object.values(others).reduce((sum, count) => sum + count, 0)
  return { sent: batch.mailsSent - batch.mailsKept, kept: batch.mailsKept, unsent: Math.max(0, batch.invite - went) }
}

export function sentInWords(batch: BatchRow): string {
  const kept = batch.mailsKept
  const sent = batch.mailsSent - kept
  if (kept === 0) return `${counted(sent, 'invitation', 'invitations')} sent`
  if (sent === 0) return `${counted(kept, 'invitation', 'invitations')} kept in the outbox`
  return `${counted(sent, 'invitation', 'invitations')} sent, ${number(kept)} kept in the outbox`
}

export function unsentInWords(batch: BatchRow): string {
  const { unsent } = leftOf(batch)
  if (batch.mailsSent === 0) return unsent === 0 ? 'nothing was sent' : `none of ${number(unsent)} invitations sent`
  return unsent === 0 ? sentInWords(batch) : `${sentInWords(batch)}, ${number(unsent)} not sent`
}

const hasInvited = (state: BatchState) => ['sending', 'paused', 'stopped', 'done', 'cancelled'].includes(state)

export const notSent = 'Not sent'

/** "Not sent" if the person was to be invited and the email was canceled. */
export function verdictOfLine(state: BatchState, verdict: Verdict, delivery: string | null): string {
  if (verdict !== 'invite' || !hasInvited(state)) return verdictWords[verdict].name
  const isUnsent = delivery === 'cancelled' || delivery === 'suppressed' || (state === 'cancelled' && delivery === null)
  return isUnsent ? notSent : 'Invited'
}

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

/** What to do about emails in the outbox; null without any. */
export function outboxOf({ mailsKept }: BatchRow, hasMailServer: boolean, mayAct: boolean) {
  if (mailsKept === 0) return null
  const emails = counted(mailsKept, 'email is', 'emails are')
  return hasMailServer
    ? {
        heading: `${emails} still in the outbox; no one received them.`,
        text: `No mail server was configured at the time.${mayAct ? ' One is now: use the button above to send them.' : ''}`,
        href: null
      }
    : {
        heading: `Email is off: ${emails} kept in the outbox.`,
        text: 'No one received them. Read or download them in the outbox, or configure a mail server (SMTP_URL and MAIL_FROM) and send them from this page.',
        href: mayAct ? '/outbox' : null
      }
}
