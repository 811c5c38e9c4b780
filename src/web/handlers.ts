/** Gives every handler a timeout, and makes stopping wait for those in progress. */
import type { FastifyInstance, FastifyReply } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    handlersDone: () => Promise<unknown>
  }
}

/** More than the database gives a statement (server.ts). */
const patienceSeconds = 35

/** A handler timed out. It keeps running, so its work may still be done. */
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

/** A reply that has begun has no timeout: it may be a million lines over a slow connection. */
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

/** Aborted when the reply is sent or the client disconnects: waiting work need not be done then. */
export function overOf({ raw }: FastifyReply): AbortSignal {
  const over = new AbortController()
  if (raw.destroyed) over.abort()
  else raw.once('close', () => over.abort())
  return over.signal
}
