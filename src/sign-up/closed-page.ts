import type { FastifyReply } from 'fastify'
import { closedStateOf, type InvitationState } from '../invitations/invitation.ts'
import { findNewest, type Newest } from '../invitations/newest-store.ts'
import type { InvitationRow } from '../invitations/store.ts'
import { organizationOf } from '../organization/store.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'

export async function closedPage(
  { db }: Deps,
  reply: FastifyReply,
  token: string,
  invitation: InvitationRow,
  own: Exclude<InvitationState, 'open'>,
  status: number
) {
  const { organization, timeZone } = await organizationOf(db)
  const newest = await findNewest(db, invitation.personId)
  const state = closedStateOf(own, newest)
  const requestedAt = state === 'accepted' ? null : (newest?.requestedAt ?? null)
  return reply.page(
    'sign-up/closed',
    { title: 'This invitation is closed', status },
    {
      state,
      organization,
      email: invitation.email,
      ...wordsOf(state, organization, invitation.email, newest, timeZone),
      requestAction: state === 'accepted' || requestedAt ? null : `/join/${encodeURIComponent(token)}/requests`,
      requestedAt: requestedAt ? showTime(requestedAt, timeZone) : null
    }
  )
}

function wordsOf(
  state: Exclude<InvitationState, 'open'>,
  organization: string,
  email: string,
  newest: Newest | undefined,
  timeZone: string
) {
  const by = newest?.inviterName
    ? `${newest.inviterName} invited you to join ${organization}`
    : `You are invited to join ${organization}`
  const words: Record<typeof state, [heading: string, text: string]> = {
    expired: [
      'This invitation has expired',
      `It was open for a limited time and was not used to join ${organization}.`
    ],
    revoked: ['This invitation was withdrawn', `An admin of ${organization} withdrew it.`],
    accepted: ['This invitation has already been used', `If it was you who joined ${organization} with it, sign in.`],
    superseded: newest?.sentAt
      ? [
          'A newer email was sent to you',
          `It was sent to ${email} on ${showTime(newest.sentAt, timeZone).text}. Look for the newest email with the subject “${by}”, also in your spam folder, and use the link in it. This older link no longer works.`
        ]
      : newest?.isOnItsWay
        ? ['A newer email is on its way', `It goes to ${email}. Use the link in it; this older one no longer works.`]
        : [
            'There is a newer invitation',
            `This older link no longer works, and the newer email has not been sent to ${email}. Ask for it below.`
          ]
  }
  const [heading, text] = words[state]
  return { heading, text }
}
