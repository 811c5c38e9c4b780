/** One team: who is in it, and why. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { includesRole } from '../lib/role.ts'
import { searchText } from '../lib/search-text.ts'
import { peopleInWords } from '../lib/words.ts'
import { deliveryBadge, noMailWords } from '../mail/delivery-badges.ts'
import { enrollmentBadges } from '../people/person.ts'
import { viewerOf } from '../web/access.ts'
import { showDay } from '../web/dates.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import type { FieldErrors } from '../web/forms.ts'
import { initialsOf } from '../web/pages.ts'
import { listMembers, type Member, placeOf } from './members-store.ts'
import { countPending, listPending } from './pending-store.ts'
import { findTeam, type ListedTeam } from './store.ts'
import { sourceWords } from './team.ts'

const pageSize = 50

export const noTeam = () => new Refusal(404, 'There is no such team.')

export async function teamOf({ db }: Deps, request: FastifyRequest): Promise<ListedTeam> {
  const team = await findTeam(db, Number((request.params as { id: string }).id))
  if (!team) throw noTeam()
  return team
}

/** What is searched for, from two characters on. */
export function searchOf(request: FastifyRequest): string {
  const q = searchText((request.query as { q?: string }).q)
  return [...q].length >= 2 ? q : ''
}

export async function teamPage(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  errors: FieldErrors = {},
  typed: { name?: string; email?: string } = {}
) {
  const { db } = deps
  const team = await teamOf(deps, request)
  const { role, timeZone } = viewerOf(request)
  const q = searchOf(request)
  const { after = '' } = request.query as { after?: string }
  const place = /^[1-9]\d{0,14}$/.test(after) ? await placeOf(db, team.id, Number(after)) : undefined
  const members = await listMembers(db, team.id, q, pageSize + 1, place)
  const shown = members.slice(0, pageSize)
  const mayAct = includesRole(role, 'admin')
  const waiting = q ? null : await waitingView(deps, request, team.id, timeZone)
  const isWhole = place === undefined && members.length <= pageSize
  const href = (id: number | null) => {
    const said = Object.entries({ q, after: id ?? '' }).filter(([, value]) => value !== '')
    return said.length > 0
      ? `/teams/${team.id}?${new URLSearchParams(said as [string, string][])}`
      : `/teams/${team.id}`
  }
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
      csv: `/teams/${team.id}/members.csv${q ? `?${new URLSearchParams({ q })}` : ''}`,
      rows: shown.map(member => rowView(team.id, member, mayAct, timeZone)),
      found: q || isWhole ? foundInWords(shown.length, members.length > pageSize) : 'In the order of their names',
      first: place ? href(null) : null,
      next: members.length > pageSize ? href(shown.at(-1)!.personId) : null
    }
  )
}

/** Who is invited to the team and has not joined yet; null where there is no one. */
async function waitingView({ db }: Deps, request: FastifyRequest, teamId: number, timeZone: string) {
  const { waiting = '' } = request.query as { waiting?: string }
  const after = /^[1-9]\d{0,14}$/.test(waiting) ? Number(waiting) : 0
  const [count, people] = await Promise.all([countPending(db, teamId), listPending(db, teamId, pageSize + 1, after)])
  if (count === 0) return null
  const shown = people.slice(0, pageSize)
  return {
    count,
    text: `${peopleInWords(count)}, in the order of their invitations`,
    rows: shown.map(({ personId, email, name, invitedAt, expiresAt }) => ({
      href: `/people/${personId}`,
      email,
      name: name ?? email,
      initials: initialsOf(name ?? email),
      invited: showDay(invitedAt, timeZone),
      expires: showDay(expiresAt, timeZone)
    })),
    first: after > 0 ? `/teams/${teamId}#waiting-t` : null,
    next: people.length > pageSize ? `/teams/${teamId}?waiting=${shown.at(-1)!.personId}#waiting-t` : null
  }
}

function foundInWords(count: number, hasMore: boolean): string {
  if (count === 0) return 'Nobody matches'
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
