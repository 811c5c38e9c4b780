import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { recentEvents } from '../audit/store.ts'
import { inviteTyped } from '../batches/intake/invite-typed.ts'
import { organizationDomains } from '../batches/recipient.ts'
import { changeRole } from '../invitations/change-role.ts'
import { stateOf } from '../invitations/invitation.ts'
import { allowMailTo } from '../invitations/opt-out.ts'
import { type InvitationRow, invitationsOf } from '../invitations/store.ts'
import { includesRole, isRole, type Role, roleNames } from '../lib/role.ts'
import { deliveryBadges } from '../mail/delivery-badges.ts'
import { findSuppression } from '../mail/store.ts'
import { enrollmentBadges } from '../people/person.ts'
import { findPerson, readOrganization } from '../people/store.ts'
import { type DeactivateOutcome, deactivate, reactivate } from '../sessions/deactivate.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { showTime } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { field, form, idParams } from '../web/forms.ts'
import { initialsOf } from '../web/pages.ts'
import { deliveriesOf } from './store.ts'
import { storyOf } from './story.ts'

interface ById {
  Params: { id: string }
}

type Person = NonNullable<Awaited<ReturnType<typeof findPerson>>>

const noPerson = () => new Refusal(404, 'There is no such person.')

export function personRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps
  const byAdmin = { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } } as const
  const byAuditor = { config: { access: 'auditor' }, schema: { params: idParams } } as const

  app.get<ById>('/people/:id', byAuditor, (request, reply) => personPage(deps, request, reply))

  app.post<ById>('/people/:id/invitations', byAdmin, async (request, reply) => {
    const person = await findPerson(db, Number(request.params.id))
    if (!person) throw noPerson()
    if (person.enrollment === 'signed-up') throw new Refusal(409, 'This person has signed up already.')
    if (person.enrollment === 'deactivated')
      throw new Refusal(409, 'This user is deactivated. Reactivate instead of inviting.')
    const { domains } = (await readOrganization(db))!
    const batchId = await inviteTyped(db, request.viewer!.id, [person.email], organizationDomains(domains))
    wake()
    return reply.redirect(`/batches/${batchId}`, 303)
  })

  app.post<ById>('/people/:id/deactivation', byAdmin, async (request, reply) => {
    answer(await deactivate(db, request.viewer!, Number(request.params.id)))
    return redirectWith(reply, db, `/people/${request.params.id}`, 'Deactivated. Every session of this user has ended.')
  })

  app.post<ById>('/people/:id/reactivation', byAdmin, async (request, reply) => {
    answer(await reactivate(db, request.viewer!, Number(request.params.id)))
    return redirectWith(reply, db, `/people/${request.params.id}`, 'Reactivated. This user can sign in again.')
  })

  app.post<ById>('/people/:id/mail-permission', byAdmin, async (request, reply) => {
    const outcome = await allowMailTo(db, request.viewer!.id, Number(request.params.id))
    if (outcome === 'unknown') throw noPerson()
    if (outcome === 'was-allowed') throw new Refusal(409, 'Nothing holds mail to this person back.')
    return redirectWith(
      reply,
      db,
      `/people/${request.params.id}`,
      'Mail to this address goes through again. Invite the person when you are ready.'
    )
  })

  const body = form({ role: field() })
  app.post<ById & { Body: { role: string } }>(
    '/people/:id/role',
    { config: { access: 'owner' }, schema: { params: idParams, body } },
    async (request, reply) => {
      const { role } = request.body
      if (!isRole(role)) return personPage(deps, request, reply, { role: 'Choose one of the roles.' })
      const { outcome } = await changeRole(db, request.viewer!.id, Number(request.params.id), role)
      if (outcome === 'unknown') throw noPerson()
      if (outcome === 'wrong-state')
        throw new Refusal(409, 'A role can be given to a user, or to somebody with an open invitation.')
      if (outcome === 'last-owner') throw lastOwner()
      return redirectWith(
        reply,
        db,
        `/people/${request.params.id}`,
        `The role is ${roleNames[role].toLowerCase()} now.`
      )
    }
  )
}

const lastOwner = () => new Refusal(409, 'This is the last owner. Make somebody else an owner first.')

function answer({ outcome }: DeactivateOutcome) {
  if (outcome === 'unknown') throw noPerson()
  if (outcome === 'wrong-state') throw new Refusal(409, 'This does not fit the state that the person is in.')
  if (outcome === 'last-owner') throw lastOwner()
  if (outcome === 'role-too-small') throw new Refusal(403, 'Only an owner may do this with admins and owners.')
}

async function personPage(
  { db }: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  errors: Record<string, string> = {}
) {
  const viewer = request.viewer!
  const id = Number((request.params as { id: string }).id)
  const person = await findPerson(db, id)
  if (!person) throw noPerson()
  const [invitations, mails, events, suppression] = await Promise.all([
    invitationsOf(db, id),
    deliveriesOf(db, id),
    recentEvents(db, 100, id),
    findSuppression(db, person.addressKey)
  ])
  const name = person.name ?? person.email
  const newest = invitations[0]
  return reply.page(
    'people/person',
    { title: name, section: 'People', status: Object.keys(errors).length > 0 ? 422 : 200 },
    {
      id,
      name,
      initials: initialsOf(name),
      email: person.email,
      enrollment: person.enrollment,
      enrollmentBadge: enrollmentBadges[person.enrollment],
      delivery: person.deliveryState ?? '',
      deliveryBadge: person.deliveryState ? deliveryBadges[person.deliveryState] : null,
      serverReply: mails[0]?.serverReply ?? null,
      facts: factsOf(person, newest, viewer.timeZone),
      suppression: suppression ? suppressionText(suppression.cause, suppression.serverReply) : null,
      actions: includesRole(viewer.role, 'admin')
        ? actionsOf(person, newest, viewer.role, suppression !== undefined)
        : [],
      ...roleChoice(person, newest, viewer.role),
      errors,
      story: storyOf(invitations, mails, events, viewer.timeZone)
    }
  )
}

function suppressionText(cause: 'bounced' | 'opted-out', reply: string | null): string {
  return cause === 'bounced'
    ? `This address bounced: ${reply ?? 'the mail server gave no reason'}`
    : 'This person opted out of invitations.'
}

function factsOf(person: Person, newest: InvitationRow | undefined, timeZone: string) {
  const facts = [
    { name: 'Role', value: roleNames[person.enrollment === 'invited' && newest ? newest.role : person.role] }
  ]
  if (person.signedUpAt) facts.push({ name: 'Signed up', value: showTime(person.signedUpAt, timeZone).text })
  if (person.deactivatedAt) facts.push({ name: 'Deactivated', value: showTime(person.deactivatedAt, timeZone).text })
  if (newest && !person.signedUpAt)
    facts.push({ name: 'Invitation valid until', value: showTime(newest.expiresAt, timeZone).text })
  if (newest?.requestedAt)
    facts.push({ name: 'Asked for a new invitation', value: showTime(newest.requestedAt, timeZone).text })
  return facts
}

interface Action {
  href: string
  label: string
  icon: string
  primary: boolean
}

function actionsOf(person: Person, newest: InvitationRow | undefined, role: Role, isSuppressed: boolean): Action[] {
  const act = (href: string, label: string, icon: string, primary = false) => ({ href, label, icon, primary })
  const mayChange = role === 'owner' || !includesRole(person.role, 'admin')
  if (person.enrollment === 'signed-up')
    return mayChange ? [act(`/people/${person.id}/deactivation`, 'Deactivate', 'minus')] : []
  if (person.enrollment === 'deactivated')
    return mayChange ? [act(`/people/${person.id}/reactivation`, 'Reactivate', 'check', true)] : []
  if (isSuppressed) return [act(`/people/${person.id}/mail-permission`, 'Let mail through again', 'mail', true)]
  if (!newest || stateOf(newest) !== 'open')
    return [act(`/people/${person.id}/invitations`, newest ? 'Invite again' : 'Invite', 'send', true)]
  return [
    act(`/invitations/${newest.id}/deliveries`, 'Resend invitation', 'send', true),
    act(`/invitations/${newest.id}/link`, 'Copy link', 'copy'),
    act(`/invitations/${newest.id}/revocation`, 'Revoke invitation', 'x')
  ]
}

/** Only an owner gives roles: to a user, or to somebody with an open invitation. */
function roleChoice(person: Person, newest: InvitationRow | undefined, viewerRole: Role) {
  const isInvited = person.enrollment === 'invited'
  const mayChoose = viewerRole === 'owner' && (isInvited || person.enrollment === 'signed-up')
  return {
    role: isInvited && newest ? newest.role : person.role,
    roles: mayChoose ? Object.entries(roleNames) : [],
    roleHint: isInvited ? 'Counts from the moment this person signs up.' : 'Ends the sessions of this user.'
  }
}
