/** A batch as its page shows it: words and figures from rows. Pure. */
import { deliveryBadges } from '../../mail/delivery-badges.ts'
import { bar } from '../../web/charts.ts'
import { durationInWords, showTime } from '../../web/dates.ts'
import { type BatchState, batchBadges, isRunning } from '../batch.ts'
import { type Reason, reasonInWords, type Verdict, verdictWords } from '../recipient.ts'
import type { BatchRow } from '../store.ts'
import type { listLines } from './report-store.ts'

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

/** The verdicts that somebody should look at: the lines that a correction can help. */
export const problemVerdicts: Verdict[] = ['malformed', 'foreign']

const verdictOrder = Object.keys(verdictWords) as Verdict[]
const deliveryOrder = Object.keys(deliveryBadges) as (keyof typeof deliveryBadges)[]

export type BatchWithCreator = BatchRow & { creatorName: string | null }
type Line = Awaited<ReturnType<typeof listLines>>[number]

const number = (value: number) => value.toLocaleString('en')
const counted = (value: number, one: string, many: string) => `${number(value)} ${value === 1 ? one : many}`

/** Mails by state: what each of a batch's invitations has come to. */
export function mailCounts(batch: BatchRow): Record<keyof typeof deliveryBadges, number> {
  return {
    queued: batch.mailsQueued,
    sending: batch.mailsSending,
    sent: batch.mailsSent,
    deferred: batch.mailsDeferred,
    failed: batch.mailsFailed,
    unknown: batch.mailsUnknown,
    bounced: batch.mailsBounced,
    suppressed: batch.mailsSuppressed,
    cancelled: batch.mailsCancelled
  }
}

/** What the batch has come to, in a few words. */
export function headingOf(batch: BatchRow): string {
  const mails = mailCounts(batch)
  const open = mails.queued + mails.sending + mails.deferred
  const headings: Record<BatchState, string> = {
    receiving: 'The file is arriving',
    incomplete: 'The upload was cut: nothing was sent',
    checking: `${number(batch.judged)} of ${counted(batch.lines, 'line', 'lines')} checked`,
    checked: `${counted(batch.invite, 'invitation', 'invitations')} ready to send`,
    sending: `${counted(open, 'invitation', 'invitations')} on their way`,
    paused: `Paused: ${counted(open, 'invitation', 'invitations')} waiting`,
    stopped: `Stopped: ${counted(open, 'invitation', 'invitations')} held back`,
    cancelled: `Cancelled: ${counted(mails.sent, 'invitation', 'invitations')} had been sent`,
    done: batch.invite === 0 ? 'Nobody was invited' : `${counted(mails.sent, 'invitation', 'invitations')} sent`
  }
  return headings[batch.state]
}

/** The facts about a batch: what it was made from, by whom and when. */
export function factsOf(batch: BatchWithCreator, timeZone: string) {
  const sources = {
    typed: 'Typed',
    file: batch.fileName ?? 'File',
    group: 'Directory group',
    correction: 'Corrected lines'
  }
  return {
    source: sources[batch.source],
    lines: counted(batch.lines, 'address', 'addresses'),
    creator: batch.creatorName ?? 'somebody',
    created: showTime(batch.createdAt, timeZone),
    took: batch.finishedAt ? durationInWords(batch.finishedAt.getTime() - batch.createdAt.getTime()) : null,
    badge: batchBadges[batch.state],
    isRunning: isRunning(batch.state),
    stopReason: batch.stopReason
  }
}

/** Every verdict with its count, as filters of the page. */
export function verdictFilters(batch: BatchRow, chosen: string | undefined, base: string) {
  return verdictOrder.map(verdict => ({
    name: verdict,
    text: verdictWords[verdict].name,
    note: verdictWords[verdict].meaning,
    value: batch[verdict],
    shown: number(batch[verdict]),
    ...verdictLooks[verdict],
    isChosen: chosen === verdict,
    // hooks of checks stay in the page; figures that say nothing do not show
    isShown: batch[verdict] > 0 || verdict === 'invite' || chosen === verdict,
    href: chosen === verdict ? base : `${base}?verdict=${verdict}`
  }))
}

/** The batch's lines as one bar, a part for each verdict. */
export function barOf(batch: BatchRow): string {
  const parts = [...verdictOrder]
    .reverse()
    .map(verdict => ({ value: batch[verdict], className: verdictLooks[verdict].tone }))
  return bar(parts, batch.lines, 'bar tall', 0.3)
}

/** What Rollcall is doing with it at the moment, in a sentence. */
export function progressOf(batch: BatchRow): string {
  const mails = mailCounts(batch)
  const open = mails.queued + mails.sending + mails.deferred
  if (batch.state === 'checking' && batch.judged < batch.lines)
    return `${number(batch.judged)} of ${number(batch.lines)} checked`
  if (batch.invite === 0) return 'No mail is sent for this batch'
  return `${number(batch.invite - open)} of ${counted(batch.invite, 'mail', 'mails')} settled`
}

/** Every delivery state with its count. */
export function deliveryCounts(batch: BatchRow) {
  const counts = mailCounts(batch)
  return deliveryOrder.map(state => ({
    name: state,
    value: counts[state],
    shown: number(counts[state]),
    ...deliveryBadges[state]
  }))
}

/** One line: what it says, what it was judged, what happened to it and how its mail is doing, in words. */
export function shownLine(line: Line, mayAct: boolean, timeZone: string) {
  const look = verdictLooks[line.verdict]
  return {
    line: line.line,
    text: line.text,
    verdict: line.verdict,
    badge: { ...look, text: verdictWords[line.verdict].name },
    what: [whyOf(line), mailOf(line, timeZone)].filter(Boolean).join(' '),
    // a foreign line's reason names the domain that was meant already
    suggestion: line.verdict === 'malformed' ? line.suggestion : null,
    delivery: line.delivery ?? '',
    deliveryBadge: line.delivery ? deliveryBadges[line.delivery] : null,
    personHref: line.personId ? `/people/${line.personId}` : null,
    resendAction:
      mayAct && line.verdict === 'pending' && line.openInvitationId
        ? `/invitations/${line.openInvitationId}/deliveries`
        : null
  }
}

/** How the mail of a line is doing, with the server's words. */
function mailOf(line: Line, timeZone: string): string {
  if (!line.delivery) return ''
  const when = line.settledAt ? `${showTime(line.settledAt, timeZone).text}.` : ''
  const twice = line.mayHaveArrived ? 'It may have arrived twice.' : ''
  return [when, line.serverReply ?? '', twice].filter(Boolean).join(' ')
}

function whyOf(line: Line): string {
  if (line.verdict === 'duplicate') return `The same address as in line ${line.firstLine}`
  if (line.reason)
    return reasonInWords({ reason: line.reason as Reason, address: line.address, suggestion: line.suggestion })
  const words: Partial<Record<Verdict, string>> = {
    active: 'Signed up already: no mail',
    deactivated: 'Deactivated: reactivate this person instead',
    suppressed: 'Bounced or opted out: no mail until an admin lifts it',
    pending: 'Invited before, and that invitation is still open'
  }
  return words[line.verdict] ?? ''
}
