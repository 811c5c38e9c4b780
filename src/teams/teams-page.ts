/** All teams: those that follow directory groups, and those made by hand. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { includesRole } from '../lib/role.ts'
import { number, peopleInWords } from '../lib/words.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { findTeam, type ListedTeam, listTeams } from './store.ts'
import { searchOf } from './team-page.ts'

const pageSize = 50

export async function teamsPage(deps: Deps, request: FastifyRequest, reply: FastifyReply, typed = '', error = '') {
  const { db } = deps
  const q = searchOf(request)
  const { after = '' } = request.query as { after?: string }
  const last = /^[1-9]\d{0,14}$/.test(after) ? await findTeam(db, Number(after)) : undefined
  const teams = await listTeams(db, q, pageSize + 1, last)
  const shown = teams.slice(0, pageSize)
  const hasMore = teams.length > pageSize
  const href = (changed: { after: string }) => {
    const said = Object.entries({ q, ...changed }).filter(([, value]) => value)
    return said.length > 0 ? `/teams?${new URLSearchParams(said)}` : '/teams'
  }
  return reply.page(
    'teams/index',
    { title: error ? 'Error: Teams' : 'Teams', section: 'Teams', status: error ? 422 : 200 },
    {
      q,
      typed,
      errors: error ? { name: error } : {},
      mayAct: includesRole(viewerOf(request).role, 'admin'),
      rows: shown.map(rowView),
      found: foundInWords(shown.length, hasMore, last !== undefined),
      first: last ? href({ after: '' }) : null,
      next: hasMore ? href({ after: String(shown.at(-1)!.id) }) : null
    }
  )
}

function foundInWords(count: number, hasMore: boolean, isLater: boolean): string {
  if (count === 0) return 'No team matches'
  const teams = `${count} ${count === 1 ? 'team' : 'teams'}`
  return hasMore ? `${isLater ? 'The next' : 'The first'} ${teams}` : teams
}

const rowView = ({ id, name, source, memberCount, groupId }: ListedTeam) => ({
  id,
  name,
  href: `/teams/${id}`,
  members: number(memberCount),
  memberCount,
  membersText: peopleInWords(memberCount),
  source: source === 'directory' ? 'Directory group' : 'Made by hand',
  groupHref: groupId ? `/groups/${groupId}` : null
})
