import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { pagesOf } from '../lib/paging.ts'
import { redirectWith } from '../sessions/scopes.ts'
import { viewerOf } from '../web/access.ts'
import { sendCsv } from '../web/csv.ts'
import type { Deps } from '../web/deps.ts'
import { Refusal } from '../web/errors.ts'
import { field, filters, form, idParams, optionalField } from '../web/forms.ts'
import { listMembers, type Member } from './members-store.ts'
import { addByHand, takeOutByHand } from './revise-members.ts'
import { createTeam, type ReviseOutcome, removeTeam, renameTeam } from './revise-team.ts'
import { noTeam, searchOf, teamOf, teamPage } from './team-page.ts'
import { teamsPage } from './teams-page.ts'

const querystring = filters({ q: optionalField(), after: optionalField(), waiting: optionalField() })
const id = () => Type.String({ pattern: '^[1-9][0-9]{0,14}$' })
const personParams = Type.Object({ id: id(), person: id() })
const named = form({ name: field() })

interface ById {
  Params: { id: string }
  Querystring: Static<typeof querystring>
}

export function teamRoutes(app: FastifyInstance, deps: Deps): void {
  const read = { config: { access: 'auditor' }, schema: { params: idParams, querystring } } as const

  app.get('/teams', { config: { access: 'auditor' }, schema: { querystring } }, (request, reply) =>
    teamsPage(deps, request, reply)
  )

  app.get<ById>('/teams/:id', read, (request, reply) => teamPage(deps, request, reply))

  app.get<ById>('/teams/:id/members.csv', read, async (request, reply) => {
    const team = await teamOf(deps, request)
    return sendCsv(reply, `team-${team.id}`, header, linesOf(deps, team.id, searchOf(request)))
  })

  revisionRoutes(app, deps)
  memberRoutes(app, deps)
}

function revisionRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps

  app.post<{ Body: Static<typeof named> }>(
    '/teams',
    { config: { access: 'admin' }, schema: { body: named } },
    async (request, reply) => {
      const result = await createTeam(db, viewerOf(request).id, request.body.name)
      if (result.outcome === 'refused') return teamsPage(deps, request, reply, request.body.name, result.problem)
      return redirectWith(reply, db, `/teams/${teamIdOf(result)}`, 'Team created. Add its first members.')
    }
  )

  app.post<ById & { Body: Static<typeof named> }>(
    '/teams/:id/name',
    { config: { access: 'admin' }, schema: { params: idParams, body: named } },
    async (request, reply) => {
      const { name } = request.body
      const result = await renameTeam(db, viewerOf(request).id, Number(request.params.id), name)
      if (result.outcome === 'refused') return teamPage(deps, request, reply, { name: result.problem }, { name })
      return redirectWith(reply, db, `/teams/${teamIdOf(result)}`, 'Team renamed.')
    }
  )

  const removal = { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } } as const
  app.post<ById>('/teams/:id/removal', removal, async (request, reply) => {
    teamIdOf(await removeTeam(db, viewerOf(request).id, Number(request.params.id)))
    return redirectWith(reply, db, '/teams', 'Team deleted.')
  })
}

function memberRoutes(app: FastifyInstance, deps: Deps): void {
  const { db } = deps
  const body = form({ email: field() })
  app.post<ById & { Body: Static<typeof body> }>(
    '/teams/:id/members',
    { config: { access: 'admin' }, schema: { params: idParams, body } },
    async (request, reply) => {
      const { email } = request.body
      const result = await addByHand(db, viewerOf(request).id, Number(request.params.id), email)
      if (result.outcome === 'unknown') throw noTeam()
      if (result.outcome === 'refused') return teamPage(deps, request, reply, { email: result.problem }, { email })
      return redirectWith(reply, db, `/teams/${request.params.id}`, 'Added to the team.')
    }
  )

  app.post<{ Params: Static<typeof personParams> }>(
    '/teams/:id/members/:person/removal',
    { config: { access: 'admin' }, schema: { params: personParams, body: form({}) } },
    async (request, reply) => {
      const { id, person } = request.params
      const result = await takeOutByHand(db, viewerOf(request).id, Number(id), Number(person))
      if (result.outcome === 'unknown') throw noTeam()
      if (result.outcome === 'refused') throw new Refusal(409, `${result.problem} Nothing was changed.`)
      return redirectWith(reply, db, `/teams/${id}`, 'Removed from the team.')
    }
  )
}

function teamIdOf(result: ReviseOutcome): number {
  if (result.outcome === 'done') return result.teamId
  if (result.outcome === 'from-directory')
    throw new Refusal(409, 'This team follows a directory group. Stop syncing the group first.')
  throw noTeam()
}

const header = 'name,address,enrollment,delivery,sources,since'.split(',')

async function* linesOf({ db }: Deps, teamId: number, q: string) {
  const pages = pagesOf<Member>((limit, last) => listMembers(db, teamId, q, limit, last))
  for await (const rows of pages) {
    yield rows.map(row => [
      ...[row.name, row.email, row.enrollment, row.delivery, row.sources.join(' '), row.since.toISOString()]
    ])
  }
}
