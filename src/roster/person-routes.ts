import type { FastifyInstance, FastifyRequest } from 'fastify'
import { inviteTyped } from '../batches/intake/invite-typed.ts'
import { organizationDomains } from '../batches/recipient.ts'
import { changeRole, type RoleOutcome } from '../invitations/change-role.ts'
import { deactivate, type ReactivateOutcome, reactivate } from '../invitations/deactivate.ts'
import { isEnding } from '../invitations/inviter-store.ts'
import { allowMailTo } from '../invitations/opt-out.ts'
import { isRole, type Role, roleNames } from '../lib/role.ts'
import { number } from '../lib/words.ts'
import { organizationOf } from '../organization/store.ts'
import { findPerson } from '../people/store.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { field, form, idParams, optionalField } from '../web/forms.ts'
import { noPerson, personPage } from './person-page.ts'

interface ById {
  Params: { id: string }
}

export function personRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps
  const byAdmin = { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } } as const
  const byAuditor = { config: { access: 'auditor' }, schema: { params: idParams } } as const

  app.get<ById>('/people/:id', byAuditor, (request, reply) => personPage(deps, request, reply))

  app.post<ById>('/people/:id/invitations', byAdmin, async (request, reply) => {
    const person = await findPerson(db, Number(request.params.id))
    if (!person) throw noPerson()
    if (person.enrollment === 'signed-up') throw new Refusal(409, 'This person has already signed up.')
    if (person.enrollment === 'deactivated')
      throw new Refusal(409, 'This user is deactivated. Reactivate instead of inviting.')
    const { domains } = await organizationOf(db)
    const batchId = await inviteTyped(db, viewerOf(request).id, [person.email], organizationDomains(domains))
    wake()
    return reply.redirect(`/batches/${batchId}`, 303)
  })

  app.post<ById>('/people/:id/reactivation', byAdmin, async (request, reply) => {
    const result = await reactivate(db, viewerOf(request).id, Number(request.params.id))
    if (result.outcome !== 'done') throw stateRefusal(result)
    return redirectWith(reply, db, `/people/${request.params.id}`, 'Reactivated. This person can sign in again.')
  })

  app.post<ById>('/people/:id/mail-permission', byAdmin, async (request, reply) => {
    const outcome = await allowMailTo(db, viewerOf(request).id, Number(request.params.id))
    if (outcome === 'unknown') throw noPerson()
    if (outcome === 'was-allowed') throw new Refusal(409, 'Email to this person is not blocked.')
    return redirectWith(
      reply,
      db,
      `/people/${request.params.id}`,
      'Email to this address is allowed again. Invite the person when you are ready.'
    )
  })

  deactivationRoute(app, deps)
  roleRoute(app, deps)
}

function deactivationRoute(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps
  const ending = form({ invitations: optionalField() })
  app.post<ById & { Body: { invitations?: string } }>(
    '/people/:id/deactivation',
    { config: { access: 'admin' }, schema: { params: idParams, body: ending } },
    async (request, reply) => {
      const { invitations = 'typed' } = request.body
      if (!isEnding(invitations)) return personPage(deps, request, reply, { invitations: 'Select what ends.' })
      const id = Number(request.params.id)
      const result = await deactivate(db, viewerOf(request).id, id, invitations)
      if (result.outcome === 'last-owner') return personPage(deps, request, reply, { owner: lastOwner(request) })
      if (result.outcome !== 'done') throw stateRefusal(result)
      wake()
      const said = [
        'Deactivated and signed out everywhere.',
        revokedInWords(result.ended),
        replacedInWords(result.replaced)
      ]
      return redirectWith(reply, db, `/people/${id}`, said.filter(Boolean).join(' '))
    }
  )
}

function roleRoute(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps
  const body = form({ role: field(), enrollment: optionalField() })
  app.post<ById & { Body: { role: string; enrollment?: string } }>(
    '/people/:id/role',
    { config: { access: 'owner' }, schema: { params: idParams, body } },
    async (request, reply) => {
      const { role, enrollment } = request.body
      if (!isRole(role)) return personPage(deps, request, reply, { role: 'Choose one of the roles.' })
      const result = await changeRole(db, viewerOf(request).id, Number(request.params.id), role, enrollment)
      if (result.outcome === 'last-owner') return personPage(deps, request, reply, { role: lastOwner(request) })
      if (result.outcome !== 'changed') throw roleRefusal(result.outcome)
      wake()
      return redirectWith(reply, db, `/people/${request.params.id}`, roleText(role, result))
    }
  )
}

const revokedInWords = (count: number) =>
  count > 0 && (count === 1 ? '1 open invitation revoked.' : `${number(count)} open invitations revoked.`)
const replacedInWords = (count: number) =>
  count > 0 &&
  (count === 1
    ? '1 invitation link that they had seen no longer works. A new one is emailed, unless the person gets no email.'
    : `${number(count)} invitation links that they had seen no longer work. New ones are emailed, except to people who get no email.`)

type Changed = Extract<RoleOutcome, { outcome: 'changed' }>

function roleText(role: Role, { link, replaced }: Changed): string {
  const changed = `Role changed to ${roleNames[role].toLowerCase()}.`
  if (replaced > 0) return `${changed} ${replacedInWords(replaced)}`
  if (link === 'sent') return `${changed} The earlier link no longer works; a new email with a new link is being sent.`
  if (link === 'suppressed')
    return `${changed} The earlier link no longer works, and this address gets no email: copy the new link for this person.`
  return changed
}

function roleRefusal(outcome: Exclude<RoleOutcome['outcome'], 'changed' | 'last-owner'>): Refusal {
  if (outcome === 'unknown') return noPerson()
  if (outcome === 'not-owner') return new Refusal(403, 'Only an owner can change roles. Your own role has changed.')
  if (outcome === 'changed-meanwhile')
    return new Refusal(
      409,
      'This person’s state changed while the page was open, for example because they signed up. Open the page again and check before you change the role.'
    )
  return new Refusal(409, 'Only users and people with an open invitation have a role.')
}

const lastOwner = (request: FastifyRequest<ById>) =>
  viewerOf(request).id === Number(request.params.id)
    ? 'You’re the only owner. Make someone else an owner first.'
    : 'This is the only owner. Make someone else an owner first.'

function stateRefusal({ outcome }: Exclude<ReactivateOutcome, { outcome: 'done' }>): Refusal {
  if (outcome === 'unknown') return noPerson()
  if (outcome === 'wrong-state')
    return new Refusal(409, 'This person’s status has changed. Open the page again to see what you can do.')
  return new Refusal(403, 'Only an owner can deactivate or reactivate admins and owners.')
}
