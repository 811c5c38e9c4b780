import type { FastifyInstance } from 'fastify'
import { isAnswering } from '../db/client.ts'
import type { Deps } from '../web/deps.ts'
import { countStates } from './store.ts'

/** For operators and their monitors: without sign-in, under any Host, without personal data. */
export function operatorRoutes(app: FastifyInstance, { db }: Deps): void {
  const config = { access: 'operator' } as const

  app.get('/live', { config }, async (_request, reply) => reply.type('text/plain').send('ok'))

  app.get('/ready', { config }, async (_request, reply) => {
    const isReady = await isAnswering(db, 1000)
    return reply
      .code(isReady ? 200 : 503)
      .type('text/plain')
      .send(isReady ? 'ok' : 'database: not answering\n')
  })

  app.get('/metrics', { config }, async (_request, reply) => {
    const { deliveries, batches } = await countStates(db)
    const lines = [
      ...family('rollcall_deliveries', 'Mails by state', deliveries),
      ...family('rollcall_batches', 'Batches by state', batches)
    ]
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(`${lines.join('\n')}\n`)
  })
}

function family(name: string, help: string, counts: { state: string; count: number }[]): string[] {
  const samples = counts.map(({ state, count }) => `${name}{state="${state}"} ${count}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples]
}
