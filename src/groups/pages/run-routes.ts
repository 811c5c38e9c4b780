import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { number, peopleInWords } from '../../lib/words.ts'
import { redirectWith } from '../../sessions/scopes.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { field, filters, form, idParams, optionalField } from '../../web/forms.ts'
import { askSync } from '../decisions/ask-sync.ts'
import { approve, type DecideOutcome, undo } from '../decisions/decide.ts'
import { stopSyncing } from '../decisions/stop-syncing.ts'
import { noGroup } from './group-page.ts'
import { runPage } from './run-page.ts'

const id = () => Type.String({ pattern: '^[1-9][0-9]{0,14}$' })
const runParams = Type.Object({ id: id(), run: id() })
const querystring = filters({ kind: optionalField(), after: optionalField(), refresh: optionalField() })

interface ByRun {
  Params: Static<typeof runParams>
  Querystring: Static<typeof querystring>
}
interface ById {
  Params: { id: string }
}

const byAdmin = { access: 'admin' } as const

export function runRoutes(app: FastifyInstance, deps: Deps): void {
  const { db, wake } = deps

  app.get<ByRun>(
    '/groups/:id/sync-runs/:run',
    { config: { access: 'auditor' }, schema: { params: runParams, querystring } },
    (request, reply) => runPage(deps, request, reply)
  )

  app.post<ById>(
    '/groups/:id/sync-runs',
    { config: byAdmin, schema: { params: idParams, body: form({}) } },
    async (request, reply) => {
      const result = await askSync(db, viewerOf(request).id, Number(request.params.id))
      if (result.outcome === 'unknown') throw noGroup()
      wake()
      return reply.redirect(`/groups/${request.params.id}/sync-runs/${result.runId}`, 303)
    }
  )

  decisionRoutes(app, deps)
  removalRoute(app, deps)
}

function decisionRoutes(app: FastifyInstance, { db }: Deps): void {
  const decisions = { approval: approve, undo } as const
  const said = { approval: 'Removals approved', undo: 'Put back' } as const
  for (const path of ['approval', 'undo'] as const) {
    app.post<ByRun>(
      `/groups/:id/sync-runs/:run/${path}`,
      { config: byAdmin, schema: { params: runParams, body: form({}) } },
      async (request, reply) => {
        const { id, run } = request.params
        const { people, forOwner } = answer(await decisions[path](db, viewerOf(request).id, Number(id), Number(run)))
        const others =
          forOwner > 0
            ? ` ${number(forOwner)} more have a role that only an owner can remove: see People who have left.`
            : ''
        return redirectWith(
          reply,
          db,
          `/groups/${id}/sync-runs/${run}`,
          `${said[path]}: ${peopleInWords(people)}.${others}`
        )
      }
    )
  }
}

function removalRoute(app: FastifyInstance, { db }: Deps): void {
  app.post<ById & { Body: { team: string } }>(
    '/groups/:id/removal',
    { config: byAdmin, schema: { params: idParams, body: form({ team: field() }) } },
    async (request, reply) => {
      const { team } = request.body
      if (team !== 'keep' && team !== 'remove')
        throw new Refusal(422, 'Choose whether to keep or remove the team. Nothing was changed.')
      const { outcome } = await stopSyncing(db, viewerOf(request).id, Number(request.params.id), team)
      if (outcome === 'unknown') throw noGroup()
      const text = `The group is no longer synced. Its team was ${team === 'keep' ? 'kept' : 'deleted'}.`
      return redirectWith(reply, db, '/groups', text)
    }
  )
}

function answer(result: DecideOutcome) {
  if (result.outcome === 'unknown') throw new Refusal(404, 'There is no such sync.')
  if (result.outcome === 'wrong-state')
    throw new Refusal(409, 'Nothing in this sync waits for approval or can still be put back.')
  return result
}
