import type { FastifyInstance } from 'fastify'
import type { Database } from '../../db/client.ts'
import { redirectWith } from '../../sessions/scopes.ts'
import type { Deps } from '../../web/deps.ts'
import { Refusal } from '../../web/errors.ts'
import { form, idParams } from '../../web/forms.ts'
import { cancel } from './cancel.ts'
import { type ControlOutcome, pause, resume } from './hold.ts'
import { retry } from './retry.ts'
import { sendChecked } from './send-checked.ts'

interface Act {
  path: string
  act: (db: Database, actorId: number, batchId: number) => Promise<ControlOutcome>
  said: string
  refusal: string
}

const acts: Act[] = [
  {
    path: 'sending',
    act: sendChecked,
    said: 'The invitations are on their way.',
    refusal: 'This batch is not waiting to be sent.'
  },
  { path: 'pause', act: pause, said: 'Paused. Nothing more leaves.', refusal: 'This batch is not running.' },
  { path: 'resumption', act: resume, said: 'It goes on.', refusal: 'This batch is neither paused nor stopped.' },
  {
    path: 'cancellation',
    act: cancel,
    said: 'Cancelled. What had not left stays here, and those people can be invited again.',
    refusal: 'This batch is over, there is nothing left to cancel.'
  },
  {
    path: 'deliveries',
    act: retry,
    said: 'The failed mails are tried again.',
    refusal: 'This batch has no failed mails to try again.'
  }
]

export function controlRoutes(app: FastifyInstance, { db, wake }: Deps): void {
  for (const { path, act, said, refusal } of acts) {
    app.post<{ Params: { id: string } }>(
      `/batches/:id/${path}`,
      { config: { access: 'admin' }, schema: { params: idParams, body: form({}) } },
      async (request, reply) => {
        const { id } = request.params
        const outcome = await act(db, request.viewer!.id, Number(id))
        if (outcome === 'unknown') throw new Refusal(404, 'There is no such batch.')
        if (outcome === 'wrong-state') throw new Refusal(409, refusal)
        wake()
        return redirectWith(reply, db, `/batches/${id}`, said)
      }
    )
  }
}
