/** Running handlers: each answers in time, and stopping the server waits for what they have begun. */
import type { FastifyInstance, FastifyReply } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Resolves once no handler is at work, those included whose reader has left. */
    handlersDone: () => Promise<unknown>
  }
}

/** More than the database gives a statement (server.ts). */
const patienceSeconds = 35

/** A handler was not done in time. It keeps running, so what it was to do may happen or not. */
export class LateHandler extends Error {
  readonly seconds: number

  constructor(seconds: number) {
    super(`the handler was not done after ${seconds} s`)
    this.seconds = seconds
  }
}

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
      return config?.isUpload ? work : unlessLate(work, reply, config?.patienceSeconds ?? patienceSeconds)
    }
  })
}

/** Once an answer has begun it may take its time: a table of a million lines, over a slow line. */
async function unlessLate(work: Promise<unknown>, reply: FastifyReply, seconds: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateHandler(seconds)), seconds * 1000)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    if (error instanceof LateHandler && reply.raw.headersSent) return work
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Aborted when the answer is sent or its reader leaves: what still waits then need not be done. */
export function overOf({ raw }: FastifyReply): AbortSignal {
  const over = new AbortController()
  if (raw.destroyed) over.abort()
  else raw.once('close', () => over.abort())
  return over.signal
}
