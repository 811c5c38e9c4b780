import type { FastifyReply, FastifyRequest } from 'fastify'
import { idOf } from '../lib/id.ts'
import { includesRole } from '../lib/role.ts'
import { number, peopleInWords } from '../lib/words.ts'
import { viewerOf } from '../web/access.ts'
import type { Deps } from '../web/deps.ts'
import { hrefOf, linksOf, pageOf, rowsToRead, textOf } from '../web/list.ts'
import { findTeam, type ListedTeam, listTeams } from './store.ts'
import { searchOf } from './team-page.ts'

export async function teamsPage(deps: Deps, request: FastifyRequest, reply: FastifyReply, typed = '', error = '') {
  const { db } = deps
  const q = searchOf(request)
  const after = idOf(textOf(request.query, 'after'))
  const last = after === undefined ? undefined : await findTeam(db, after)
  const page = pageOf(await listTeams(db, q, rowsToRead, last), team => team.id)
  return reply.page(
    'teams/index',
    { title: error ? 'Error: Teams' : 'Teams', section: 'Teams', status: error ? 422 : 200 },
    {
      q,
      typed,
      errors: error ? { name: error } : {},
      mayAct: includesRole(viewerOf(request).role, 'admin'),
      rows: page.rows.map(rowView),
      found: foundInWords(page.rows.length, page.hasMore, last !== undefined),
      ...linksOf(page, last !== undefined, after => hrefOf('/teams', { q, after }))
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
