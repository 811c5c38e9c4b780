import type { FastifyReply, FastifyRequest } from 'fastify'
import { idOf } from '../lib/id.ts'
import { includesRole } from '../lib/role.ts'
import { searchTerm } from '../lib/search-text.ts'
import { peopleInWords } from '../lib/words.ts'
import { deliveryBadge, noMailWords } from '../mail/delivery-badges.ts'
import { enrollmentBadges } from '../people/person.ts'
import { viewerOf } from '../web/access.ts'
import { showDay } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import type { FieldErrors, IdParams } from '../web/forms.ts'
import { hrefOf, linksOf, pageOf, rowsToRead, textOf } from '../web/list.ts'
import { initialsOf } from '../web/pages.ts'
import { listMembers, type Member, placeOf } from './members-store.ts'
import { countPending, listPending } from './pending-store.ts'
import { findTeam, type ListedTeam } from './store.ts'
import { sourceWords } from './team.ts'

export const noTeam = () => new Refusal(404, 'There is no such team.')

export async function teamOf({ db }: Deps, request: FastifyRequest<{ Params: IdParams }>): Promise<ListedTeam> {
  const team = await findTeam(db, Number(request.params.id))
  if (!team) throw noTeam()
  return team
}

export function searchOf(request: FastifyRequest): string {
  return searchTerm(textOf(request.query, 'q')) ?? ''
}

export async function teamPage(
  deps: Deps,
  request: FastifyRequest<{ Params: IdParams }>,
  reply: FastifyReply,
  errors: FieldErrors = {},
  typed: { name?: string; email?: string } = {}
) {
  const { db } = deps
  const team = await teamOf(deps, request)
  const { role, timeZone } = viewerOf(request)
  const q = searchOf(request)
  const after = idOf(textOf(request.query, 'after'))
  const place = after === undefined ? undefined : await placeOf(db, team.id, after)
  const page = pageOf(await listMembers(db, team.id, q, rowsToRead, place), member => member.personId)
  const mayAct = includesRole(role, 'admin')
  const waiting = q ? null : await waitingView(deps, request, team.id, timeZone)
  const isWhole = place === undefined && !page.hasMore
  const isWrong = Object.keys(errors).length > 0
  return reply.page(
    'teams/team',
    { title: isWrong ? `Error: ${team.name}` : team.name, section: 'Teams', status: isWrong ? 422 : 200 },
    {
      id: team.id,
      name: team.name,
      q,
      mayAct,
      errors,
      typed: { name: typed.name ?? team.name, email: typed.email ?? '' },
      waiting,
      isByHand: team.source === 'hand',
      groupHref: team.groupId ? `/groups/${team.groupId}` : null,
      memberText: peopleInWords(team.memberCount),
      csv: hrefOf(`/teams/${team.id}/members.csv`, { q }),
      rows: page.rows.map(member => rowView(team.id, member, mayAct, timeZone)),
      found: q || isWhole ? foundInWords(page.rows.length, page.hasMore) : 'Sorted by name',
      ...linksOf(page, place !== undefined, after => hrefOf(`/teams/${team.id}`, { q, after }))
    }
  )
}

async function waitingView({ db }: Deps, request: FastifyRequest, teamId: number, timeZone: string) {
  const after = idOf(textOf(request.query, 'waiting'))
  const [count, people] = await Promise.all([countPending(db, teamId), listPending(db, teamId, rowsToRead, after)])
  if (count === 0) return null
  const page = pageOf(people, person => person.personId)
  return {
    count,
    text: `${peopleInWords(count)}, in order of invitation`,
    rows: page.rows.map(({ personId, email, name, invitedAt, expiresAt }) => ({
      href: `/people/${personId}`,
      email,
      name: name ?? email,
      initials: initialsOf(name ?? email),
      invited: showDay(invitedAt, timeZone),
      expires: showDay(expiresAt, timeZone)
    })),
    ...linksOf(page, after !== undefined, waiting => `${hrefOf(`/teams/${teamId}`, { waiting })}#waiting-t`)
  }
}

function foundInWords(count: number, hasMore: boolean): string {
  if (count === 0) return 'No members match'
  return hasMore ? `The first ${peopleInWords(count)}` : peopleInWords(count)
}

function rowView(teamId: number, member: Member, mayAct: boolean, timeZone: string) {
  const name = member.name ?? member.email
  const isTakenOut = mayAct && member.sources.some(source => source !== 'directory')
  return {
    name,
    initials: initialsOf(name),
    email: member.email,
    href: `/people/${member.personId}`,
    enrollment: member.enrollment,
    enrollmentBadge: enrollmentBadges[member.enrollment],
    delivery: member.delivery ?? '',
    deliveryBadge: deliveryBadge(member),
    noMail: noMailWords(member.suppression),
    sources: member.sources.map(source => sourceWords[source]).join(', '),
    since: showDay(member.since, timeZone),
    removal: isTakenOut ? `/teams/${teamId}/members/${member.personId}/removal` : null
  }
}
