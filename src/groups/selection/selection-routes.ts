import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { organizationDomains } from '../../batches/recipient.ts'
import { isOneOf, keysIn } from '../../lib/known.ts'
import { deliveryBadges } from '../../mail/delivery-badges.ts'
import { organizationOf } from '../../organization/store.ts'
import { enrollments } from '../../people/person.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { field, filters, form, idParams, optionalField, parsePairs, repeated, valuesOf } from '../../web/forms.ts'
import { changedView, type GroupView, groupings, queryOf, readView, type ViewFields } from '../members/view.ts'
import { groupOf, groupPage } from '../pages/group-page.ts'
import { viewFields } from '../pages/group-routes.ts'
import { inviteSelected } from './invite-selected.ts'
import { reviewPage } from './review-page.ts'
import { type Selected, select, type Ticks } from './select.ts'

const querystring = filters(viewFields)
const body = form({
  ...viewFields,
  member: repeated(),
  section: repeated(),
  except: repeated(),
  all: optionalField(),
  clear: optionalField(),
  ticked: repeated(),
  ticked_section: repeated(),
  of: optionalField()
})
type Body = Static<typeof body>

interface ById {
  Params: { id: string }
  Querystring: Static<typeof querystring>
}

interface ToInvite {
  Params: { id: string }
  Body: { selection: string }
}

export function selectionRoutes(app: FastifyInstance, deps: Deps): void {
  const byAdmin = { config: { access: 'admin' }, schema: { params: idParams, querystring, body } } as const

  app.post<ById & { Body: Body }>('/groups/:id/selections', byAdmin, async (request, reply) => {
    const { group, view, selected } = await take(deps, request)
    return reply.redirect(`/groups/${group.id}?${queryOf({ ...view, selection: selected.id })}`, 303)
  })

  app.post<ById & { Body: Body }>('/groups/:id/review', byAdmin, async (request, reply) => {
    const { group, view, selected } = await take(deps, request)
    if (selected.id !== null && selected.people > 0)
      return reply.redirect(`/groups/${group.id}/review?selection=${selected.id}`, 303)
    const errors = [{ href: '#members', text: 'Select the people to invite.' }]
    return groupPage(deps, request, reply, group, { ...view, selection: selected.id }, errors)
  })

  const review = filters({ selection: optionalField(), show: optionalField(), after: optionalField() })
  app.get<ById & { Querystring: Static<typeof review> }>(
    '/groups/:id/review',
    { config: { access: 'admin' }, schema: { params: idParams, querystring: review } },
    (request, reply) => reviewPage(deps, request, reply)
  )

  app.post<ToInvite>(
    '/groups/:id/invitations',
    { config: { access: 'admin' }, schema: { params: idParams, body: form({ selection: field() }) } },
    (request, reply) => invite(deps, request, reply)
  )
}

async function invite(deps: Deps, request: FastifyRequest<ToInvite>, reply: FastifyReply) {
  const { db, wake } = deps
  const group = await groupOf(deps, request)
  const owner = { groupId: group.id, teamId: group.teamId, adminId: viewerOf(request).id }
  const { domains } = await organizationOf(db)
  const id = readView(request.body).selection
  const result =
    id === null ? { outcome: 'unknown' as const } : await inviteSelected(db, owner, id, organizationDomains(domains))
  if (result.outcome === 'unknown')
    throw new Refusal(422, 'There is no such selection. Nothing was sent; select again on the page of the group.')
  if (result.outcome === 'none') throw new Refusal(409, 'None of them would get an invitation now. Nothing was sent.')
  wake()
  return reply.redirect(`/batches/${result.batchId}`, 303)
}

/** Saves the selection; returns where the form leads. */
async function take(deps: Deps, request: FastifyRequest<ById & { Body: Body }>) {
  const group = await groupOf(deps, request)
  const fields = request.body
  refuseUnknown(fields)
  const [base, view] = viewsOf(fields, request.query)
  const owner = { groupId: group.id, teamId: group.teamId, adminId: viewerOf(request).id }
  const selected: Selected = await select(deps.db, owner, base.selection, ticksOf(fields, base))
  return { group, view, selected }
}

const words = {
  by: groupings,
  status: enrollments,
  delivery: Object.keys(deliveryBadges),
  all: ['1'],
  clear: ['1']
} satisfies { [name in keyof Body]?: readonly string[] }

/** An invalid filter in a URL shows everyone; a form with one must not select them. */
function refuseUnknown(fields: Body) {
  for (const name of keysIn(words)) {
    const value = fields[name]
    if (value && !isOneOf(words[name], value))
      throw new Refusal(422, `“${name}” cannot have that value. Nothing was changed.`)
  }
}

function viewsOf(fields: Body, query: ViewFields): [GroupView, GroupView] {
  const selection = query.selection ?? fields.selection
  if (fields.of === undefined) {
    const base = readView({ ...fields, selection })
    return [base, changedView(base, query)]
  }
  const base = { ...readView(parsePairs(fields.of)), selection: readView({ selection }).selection }
  const { q, delivery, status } = fields
  const typed = Object.fromEntries(Object.entries({ q, delivery, status }).filter(([, value]) => value !== undefined))
  return [base, changedView(base, { ...typed, ...query })]
}

function ticksOf(fields: Body, base: GroupView): Ticks {
  const [members, ticked, except] = [idsOf(fields.member), idsOf(fields.ticked), idsOf(fields.except)]
  const [sections, whole] = [valuesOf(fields.section), valuesOf(fields.ticked_section)]
  return {
    filter: base,
    by: base.by,
    clear: fields.clear === '1',
    all: fields.all === '1',
    sectionsOut: whole.filter(key => !sections.includes(key)),
    sectionsIn: sections.filter(key => !whole.includes(key)),
    peopleOut: [...ticked.filter(id => !members.includes(id)), ...except],
    peopleIn: members.filter(id => !ticked.includes(id) && !except.includes(id))
  }
}

function idsOf(value: string | string[] | undefined): number[] {
  return valuesOf(value).map(text => {
    if (!/^[1-9]\d{0,14}$/.test(text))
      throw new Refusal(422, 'One of the selected people is unknown. Nothing was changed.')
    return Number(text)
  })
}
