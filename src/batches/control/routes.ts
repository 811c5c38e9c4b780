import type { FastifyInstance } from 'fastify'
import type { Database } from '../../db/client.ts'
import { redirectWith } from '../../sessions/scopes.ts'
import { viewerOf } from '../../web/access.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { form, idParams } from '../../web/forms.ts'
import { cancel } from './cancel.ts'
import { type ControlOutcome, pause } from './pause.ts'
import { resume } from './resume.ts'
import { retry } from './retry.ts'
import { sendChecked } from './send-checked.ts'
import { sendRest } from './send-rest.ts'

interface Act {
  path: string
  act: (db: Database, actorId: number, batchId: number, hasMailServer: boolean) => Promise<ControlOutcome>
  said: string
  refusal: string
}

const acts: Act[] = [
  {
    path: 'sending',
    act: sendChecked,
    said: 'Sending started.',
    refusal: 'This batch is not waiting to be sent. Open it again to see its state.'
  },
  {
    path: 'pause',
    act: pause,
    said: 'Paused. No more email is sent until you resume.',
    refusal: 'This batch is not running.'
  },
  { path: 'resumption', act: resume, said: 'Batch resumed.', refusal: 'This batch is neither paused nor stopped.' },
  {
    path: 'cancellation',
    act: cancel,
    said: 'Batch canceled. No more email is sent for it.',
    refusal: 'This batch is over; there is nothing left to cancel.'
  },
  {
    path: 'deliveries',
    act: retry,
    said: 'Sending them again.',
    refusal: 'This batch has no email to send again.'
  }
]

export function controlRoutes(app: FastifyInstance, { db, wake, config }: Deps): void {
  for (const { path, act, said, refusal } of acts) {
    app.post<{ Params: { id: string } }>(
      `/batches/:id/${path}`,
      { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } },
      async (request, reply) => {
        const { id } = request.params
        const outcome = await act(db, viewerOf(request).id, Number(id), config.smtp !== undefined)
        if (outcome === 'unknown') throw new Refusal(404, 'There is no such batch.')
        if (outcome === 'wrong-state') throw new Refusal(409, refusal)
        wake()
        return redirectWith(reply, db, `/batches/${id}`, said)
      }
    )
  }

  app.post<{ Params: { id: string } }>(
    '/batches/:id/rest',
    { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } },
    async (request, reply) => {
      const result = await sendRest(db, viewerOf(request).id, Number(request.params.id))
      if (result.outcome === 'unknown') throw new Refusal(404, 'There is no such batch.')
      if (result.outcome === 'wrong-state') throw new Refusal(409, 'This batch was not canceled.')
      if (result.outcome === 'busy')
        throw new Refusal(409, 'Some emails of this batch are still being sent. Try again in a moment.')
      wake()
      return reply.redirect(`/batches/${result.batchId}`, 303)
    }
  )
}
