import { revealUnseen, withoutUnseen } from '../../lib/text/unseen.ts'
import { deliveryBadge } from '../../mail/delivery-badges.ts'
import { showTime } from '../../web/dates.ts'
import type { BatchState } from '../batch.ts'
import { reasonInWords, type Verdict, verdictWords } from '../recipient.ts'
import { unsentLook, verdictLooks } from './batch-page.ts'
import type { Typed } from './problems-page.ts'
import type { ListedLine } from './report-store.ts'
import { notSent, verdictOfLine } from './sent-page.ts'

export function shownLine(line: ListedLine, state: BatchState, mayAct: boolean, timeZone: string) {
  return {
    line: line.line,
    text: revealUnseen(line.text),
    verdict: line.verdict,
    badge: badgeOf(line, state),
    what: [whyOf(line), mailOf(line, timeZone)].filter(Boolean).join(' '),
    // a foreign line's reason already names the likely domain
    suggestion: line.verdict === 'malformed' && line.correctedIn === null ? line.suggestion : null,
    delivery: line.delivery ?? '',
    deliveryBadge: deliveryBadge({ delivery: line.delivery, isKept: line.isKept ?? false }),
    personHref: line.personId ? `/people/${line.personId}` : null,
    resendAction:
      mayAct && line.verdict === 'pending' && line.openInvitationId
        ? `/invitations/${line.openInvitationId}/deliveries`
        : null
  }
}

function badgeOf(line: ListedLine, state: BatchState) {
  const text = verdictOfLine(state, line.verdict, line.delivery)
  return { ...(text === notSent ? unsentLook : verdictLooks[line.verdict]), text }
}

function mailOf(line: ListedLine, timeZone: string): string {
  if (!line.delivery) return ''
  const when = line.settledAt ? `${showTime(line.settledAt, timeZone).text}.` : ''
  const twice = line.mayHaveArrived ? 'It may have arrived twice.' : ''
  // the badge already says that it is in the outbox
  return [when, line.isKept ? '' : (line.serverReply ?? ''), twice].filter(Boolean).join(' ')
}

/** Why a line got its verdict, and how an admin corrected it, without a full stop at the end. */
export function reasonOf(line: ListedLine): string {
  const reason = reasonInWords(line)
  if (line.correctedIn === null) return reason
  const corrected = line.correctedTo === null ? 'Corrected' : `Corrected to ${line.correctedTo}`
  // a line that still has its reason was invited by another batch
  return line.reason ? `${reason}. ${corrected} in batch ${line.correctedIn}` : corrected
}

function whyOf(line: ListedLine): string {
  const repeated = line.verdict === 'duplicate' ? `Same address as line ${line.firstLine}` : ''
  const reason = reasonOf(line)
  if (reason || repeated) return [reason, repeated].filter(Boolean).join('. ')
  const words: Partial<Record<Verdict, string>> = {
    active: 'Already signed up',
    deactivated: 'Deactivated: reactivate this person first',
    suppressed: 'Bounced or opted out. Open the person to allow email again',
    pending: 'Already has an open invitation'
  }
  return words[line.verdict] ?? ''
}

const longestAddress = 254

export function problemLine(line: ListedLine, typed: Typed | undefined) {
  const meant = line.suggestion ?? (line.text.length <= longestAddress ? withoutUnseen(line.text) : '')
  return {
    line: line.line,
    text: revealUnseen(line.text),
    badge: { ...verdictLooks[line.verdict], text: verdictWords[line.verdict].name },
    reason: reasonInWords(line),
    isTicked: typed?.ticked.has(line.line) ?? false,
    address: typed?.addresses.get(line.line) ?? meant,
    error: typed?.errors.get(line.line) ?? null
  }
}
