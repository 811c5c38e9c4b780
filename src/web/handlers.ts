/** Handlers at work: none of them keeps its reader waiting for ever, and stopping waits for what they have begun. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { inTime } from '../db/client.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Resolves once no handler is at work, those included whose reader is gone. */
    handlersDone: () => Promise<unknown>
  }
}

/** Milliseconds; more than the database gives a statement (server.ts). */
const patience = 35_000

/** Register before the first route. An upload takes as long as its bytes; uploads/rate.ts watches them. */
export function watchHandlers(app: FastifyInstance): void {
  const atWork = new Set<Promise<unknown>>()
  app.decorate('handlersDone', () => Promise.allSettled(atWork))
  app.addHook('onRoute', route => {
    const { handler, config } = route
    route.handler = async function (request, reply) {
      const work = (async () => handler.call(this, request, reply))()
      const done = () => atWork.delete(work)
      atWork.add(work)
      work.then(done, done)
      return config?.isUpload ? work : unlessLate(work, reply)
    }
  })
}

/** Once an answer has begun it may take its time: a table of a million lines, over a slow line. */
async function unlessLate(work: Promise<unknown>, reply: FastifyReply): Promise<unknown> {
  try {
    return await inTime(work, patience)
  } catch (error) {
    if (reply.raw.headersSent) return work
    throw error
  }
}
