import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isDatabaseAway, isReadOnly } from '../db/faults.ts'
import { waitInWords } from '../lib/duration.ts'
import { codeOf } from '../lib/errors.ts'
import { RoleLost } from '../lib/role.ts'
import { LineFull, TurnOver } from '../lib/secrets/password-line.ts'
import { LateHandler } from './handlers.ts'

/** An expected refusal that a route may throw: the reason is shown to the reader as it is. */
export class Refusal extends Error {
  readonly status: 400 | 401 | 403 | 404 | 408 | 409 | 410 | 413 | 415 | 421 | 422 | 429 | 503

  constructor(status: Refusal['status'], reason: string) {
    super(reason)
    this.status = status
  }
}

const headings: Record<number, string> = {
  400: 'This request could not be read',
  401: 'You are signed out',
  403: 'Not allowed',
  404: 'Not found',
  408: 'This took too long to arrive',
  409: 'Not possible right now',
  410: 'No longer valid',
  413: 'Too large',
  414: 'The address is too long',
  415: 'This kind of content is not accepted',
  422: 'Please check this',
  429: 'Too many attempts',
  431: 'Too large',
  500: 'Something went wrong',
  503: 'The database is not answering'
}

const texts: Record<number, string> = {
  400: 'It holds a field that the form does not have, a value in the wrong place, or text that is not valid. Nothing was changed. Go back and try again.',
  404: 'There is nothing at this address. It may have been removed, or the link is incomplete.',
  413: 'The form or file is too large. Nothing was changed.',
  415: 'Send the form from its page. Nothing was changed.',
  500: 'This is a fault of Rollcall, not yours. It was recorded under the number below.',
  503: 'Nothing was changed. Rollcall continues by itself once the database is back; try again in a moment.'
}

const uncertain = 'The request timed out and may or may not have gone through. Check before you try again.'
const tooSlow = 'Rollcall stopped waiting for this page. Try again in a moment.'

const roleLost = 'Your role changed while this was under way and no longer includes it. Nothing was changed.'
const readOnly =
  'This happens for a moment while another database server takes over. Nothing was changed. Try again in a moment.'

/** Maps every error and unknown path to a page without stack, SQL or version; at most a request id. */
export function serveErrors(app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) => sendError(reply, 404))
  app.setErrorHandler((error: FastifyError, request, reply) => answer(error, request, reply))
}

function answer(error: FastifyError | Refusal, request: FastifyRequest, reply: FastifyReply) {
  if (error instanceof Refusal) return sendError(reply, error.status, error.message)
  if (error instanceof RoleLost) return sendError(reply, 403, roleLost)
  if (error instanceof LineFull) return sendLineFull(reply, error)
  // the client has disconnected, so the reply is never read
  if (error instanceof TurnOver)
    return sendError(reply, 503, 'The request ended before its turn came.', 'Request ended')
  if (error instanceof LateHandler) {
    request.log.error({ seconds: error.seconds }, 'handler too late')
    reply.header('retry-after', '5')
    return sendError(reply, 503, request.method === 'GET' ? tooSlow : uncertain, 'This is taking too long')
  }
  if (isDatabaseAway(error)) {
    request.log.error({ code: codeIn(error) }, 'database away')
    reply.header('retry-after', '1')
    if (isReadOnly(error)) return sendError(reply, 503, readOnly, 'The database is read-only right now')
    const isUncertain = codeIn(error) === 'DATABASE_DEADLINE' && request.method !== 'GET'
    return sendError(reply, 503, isUncertain ? uncertain : texts[503])
  }
  if (error.validation) return sendError(reply, error.validationContext === 'params' ? 404 : 400)
  const status = error.statusCode ?? 500
  if (status >= 400 && status < 500) return sendError(reply, status in headings ? status : 400)
  request.log.error({ err: error }, 'request failed')
  return sendError(reply, 500)
}

function sendLineFull(reply: FastifyReply, full: LineFull) {
  reply.header('retry-after', String(full.retryAfterSeconds))
  return sendError(reply, statusOf(full), textOf(full), full.isNetwork ? headings[429] : 'Rollcall is busy')
}

export const statusOf = ({ isNetwork }: LineFull) => (isNetwork ? 429 : 503)

export function textOf({ isNetwork, retryAfterSeconds }: LineFull): string {
  const wait = `Nothing was changed. Wait ${waitInWords(retryAfterSeconds)} and try again.`
  return isNetwork
    ? `Too many people on your network are signing in at the same moment. ${wait}`
    : `Too many people are signing in at the same moment. ${wait}`
}

const codeIn = (error: Error) => codeOf(error) ?? codeOf(error.cause)

export function sendError(
  reply: FastifyReply,
  status: number,
  text = texts[status] ?? 'Nothing was changed.',
  heading = headings[status] ?? 'This did not work'
) {
  reply.header('cache-control', 'no-store')
  const requestId = status === 500 ? reply.request.id : null
  return reply.page(
    'errors/page',
    { title: heading, status },
    { status, heading, text, requestId, link: linkFor(reply.request, status) }
  )
}

function linkFor({ viewer }: FastifyRequest, status: number) {
  if (!viewer) return status === 401 || status === 404 ? { href: '/sign-in', text: 'Sign in' } : null
  if (viewer.needsFactor) return { href: '/me/second-factor', text: 'Set up your second factor' }
  return viewer.role === 'member'
    ? { href: '/me', text: 'Go to your page' }
    : { href: '/', text: 'Go to the dashboard' }
}
