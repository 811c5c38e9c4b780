import type { FastifyInstance, FastifyRequest } from 'fastify'
import { inviteTyped } from '../batches/intake/invite-typed.ts'
import { organizationDomains } from '../batches/recipient.ts'
import { changeRole } from '../invitations/change-role.ts'
import { allowMailTo } from '../invitations/opt-out.ts'
import { isRole, roleNames } from '../lib/role.ts'
import { findPerson, readOrganization } from '../people/store.ts'
import { type DeactivateOutcome, deactivate, reactivate } from '../sessions/deactivate.ts'
import { redirectWith } from '../sessions/scopes.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { field, form, idParams } from '../web/forms.ts'
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
    if (person.enrollment === 'signed-up') throw new Refusal(409, 'This person has signed up already.')
    if (person.enrollment === 'deactivated')
      throw new Refusal(409, 'This user is deactivated. Reactivate instead of inviting.')
    const { domains } = (await readOrganization(db))!
    const batchId = await inviteTyped(db, request.viewer!.id, [person.email], organizationDomains(domains))
    wake()
    return reply.redirect(`/batches/${batchId}`, 303)
  })

  app.post<ById>('/people/:id/deactivation', byAdmin, async (request, reply) => {
    const result = await deactivate(db, request.viewer!, Number(request.params.id))
    if (result.outcome === 'last-owner') return personPage(deps, request, reply, { owner: lastOwner(request) })
    answer(result)
    return redirectWith(reply, db, `/people/${request.params.id}`, 'Deactivated and signed out everywhere.')
  })

  app.post<ById>('/people/:id/reactivation', byAdmin, async (request, reply) => {
    answer(await reactivate(db, request.viewer!, Number(request.params.id)))
    return redirectWith(reply, db, `/people/${request.params.id}`, 'Reactivated. This person can sign in again.')
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
      if (outcome === 'last-owner') return personPage(deps, request, reply, { role: lastOwner(request) })
      return redirectWith(
        reply,
        db,
        `/people/${request.params.id}`,
        `The role is ${roleNames[role].toLowerCase()} now.`
      )
    }
  )
}

const lastOwner = ({ viewer, params }: FastifyRequest) =>
  viewer!.id === Number((params as ById['Params']).id)
    ? 'You’re the only owner. Make someone else an owner first.'
    : 'This is the only owner. Make someone else an owner first.'

function answer({ outcome }: DeactivateOutcome) {
  if (outcome === 'unknown') throw noPerson()
  if (outcome === 'wrong-state')
    throw new Refusal(409, 'This person’s status has changed. Open the page again to see what you can do.')
  if (outcome === 'role-too-small')
    throw new Refusal(403, 'Only an owner can deactivate or reactivate admins and owners.')
}
