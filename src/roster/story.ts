import type { EventRow } from '../audit/event.ts'
import { describeEvent } from '../audit/event.ts'
import { invitationBadges, stateOf } from '../invitations/invitation.ts'
import type { InvitationRow } from '../invitations/store.ts'
import { badgeOf } from '../mail/delivery-badges.ts'
import { showTime } from '../web/dates.ts'
import type { deliveriesOf } from './person-store.ts'

type Mail = Awaited<ReturnType<typeof deliveriesOf>>[number]

interface Moment {
  at: Date
  tone: string
  icon: string
  text: string
  /** The mail server's reply, or the next step. */
  detail: string | null
}

export function storyOf(invitations: InvitationRow[], mails: Mail[], events: EventRow[], timeZone: string) {
  const moments = [
    ...invitations.map(invitation => fromInvitation(invitation, timeZone)),
    ...mails.map(mail => fromMail(mail, timeZone)),
    ...events.map(fromEvent)
  ]
  moments.sort((one, other) => other.at.getTime() - one.at.getTime())
  return moments.map(({ at, ...moment }) => ({ ...moment, when: showTime(at, timeZone) }))
}

function fromInvitation(invitation: InvitationRow, timeZone: string): Moment {
  const state = stateOf(invitation)
  const badge = invitationBadges[state]
  const by = invitation.inviterName ? ` by ${invitation.inviterName}` : ''
  const until = showTime(invitation.expiresAt, timeZone).text
  return {
    at: invitation.createdAt,
    tone: badge.tone,
    icon: badge.icon,
    text: `Invited${by}`,
    detail: invitation.neverSent
      ? 'Not sent: the batch was canceled first'
      : state === 'open'
        ? `Open until ${until}`
        : state === 'expired'
          ? `Expired on ${until}`
          : badge.text
  }
}

function fromMail(mail: Mail, timeZone: string): Moment {
  const badge = badgeOf(mail.state, mail)
  const attempts = mail.attempts > 1 ? `, ${mail.attempts} attempts` : ''
  const next = mail.state === 'deferred' ? ` Next try ${showTime(mail.nextAttemptAt, timeZone).text}.` : ''
  const twice = mail.mayHaveArrived ? ' It may have arrived twice.' : ''
  const detail = `${mail.serverReply ?? ''}${next}${twice}`.trim()
  return {
    at: mail.settledAt ?? mail.queuedAt,
    tone: badge.tone,
    icon: badge.icon,
    text: `${mail.kind === 'invitation' ? 'Email' : 'Account email'} ${mail.state === 'unknown' ? 'may not have arrived' : badge.text.toLowerCase()}${attempts}`,
    detail: detail || null
  }
}

function fromEvent(event: EventRow): Moment {
  const { tone, icon, actor, text } = describeEvent(event)
  return { at: event.at, tone, icon, text: actor ? `${actor} ${text}` : text, detail: null }
}
