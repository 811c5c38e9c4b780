import type { FastifyInstance } from 'fastify'
import { keysOf } from '../config/env.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { form, idParams, optionalField } from '../web/forms.ts'
import type { InvitationState } from './invitation.ts'
import { resend } from './resend.ts'
import { revoke } from './revoke.ts'
import { showLink } from './show-link.ts'

const reasons: Record<Exclude<InvitationState, 'open'>, string> = {
  expired: 'This invitation has expired. Invite the person again from their page.',
  accepted: 'This invitation has been accepted: the person has signed up.',
  revoked: 'This invitation was revoked. Invite the person again from their page.',
  superseded: 'A newer invitation has replaced this one. Use that one on the person’s page.'
}

interface ById {
  Params: { id: string }
}

const options = { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } } as const

export function invitationRoutes(app: FastifyInstance, deps: Deps): void {
  resendRoute(app, deps)
  revokeRoute(app, deps)
  linkRoute(app, deps)
}

function resendRoute(app: FastifyInstance, deps: Deps): void {
  const { db, config, wake } = deps
  app.post<ById>('/invitations/:id/deliveries', options, async (request, reply) => {
    const result = await resend(db, keysOf(deps), viewerOf(request).id, Number(request.params.id))
    if (result.outcome === 'unknown') throw noInvitation()
    if (result.outcome === 'role-too-small') throw roleTooSmall()
    if (result.outcome === 'closed') throw new Refusal(409, reasons[result.state])
    if (result.outcome === 'suppressed')
      throw new Refusal(409, 'This address bounced or opted out. Open the person and allow email again first.')
    wake()
    return redirectWith(
      reply,
      db,
      `/people/${result.personId}`,
      [
        config.smtp ? 'Invitation sent again.' : 'Email is off: the invitation is kept in the outbox again.',
        result.hasSameLink
          ? 'The link stays the same and is valid for the full period again.'
          : 'It has a new link, because the old one was made with a SECRET_KEY that Rollcall no longer has.'
      ].join(' ')
    )
  })
}

function revokeRoute(app: FastifyInstance, { db }: Deps): void {
  app.post<ById>('/invitations/:id/revocation', options, async (request, reply) => {
    const result = await revoke(db, viewerOf(request).id, Number(request.params.id))
    if (result.outcome === 'unknown') throw noInvitation()
    if (result.outcome === 'role-too-small') throw roleTooSmall()
    if (result.outcome === 'closed')
      throw new Refusal(409, 'This invitation is already closed: it was accepted, revoked or replaced.')
    return redirectWith(reply, db, `/people/${result.personId}`, 'Invitation revoked. Its link no longer works.')
  })
}

function linkRoute(app: FastifyInstance, deps: Deps): void {
  const { db, config } = deps
  const linkOptions = { ...options, schema: { params: idParams, body: form({ how: optionalField() }) } }
  app.post<ById & { Body: { how?: string } }>('/invitations/:id/link', linkOptions, async (request, reply) => {
    const how = request.body.how === 'copied' ? 'copied' : 'shown'
    const result = await showLink(db, keysOf(deps), viewerOf(request).id, Number(request.params.id), how)
    if (result.outcome === 'unknown') throw noInvitation()
    if (result.outcome === 'role-too-small') throw roleTooSmall()
    if (result.outcome === 'closed') throw new Refusal(409, reasons[result.state])
    const { email, personId, token, isReplaced, expiresAt } = result
    const view = {
      isReplaced,
      email,
      personHref: `/people/${personId}`,
      link: `${config.baseUrl}/join/${token}`,
      expires: showTime(expiresAt, viewerOf(request).timeZone)
    }
    return reply.page('invitations/link', { title: 'Invitation link', section: 'People' }, view)
  })
}

const roleTooSmall = () =>
  new Refusal(
    403,
    'This invitation gives a higher role than yours. Only an owner can see its link, resend it or revoke it.'
  )
const noInvitation = () => new Refusal(404, 'There is no such invitation.')
