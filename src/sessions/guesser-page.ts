import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../web/errors.ts'
import { clearSessionCookie } from './scopes.ts'

/** After ten wrong passwords or codes in one session, which has ended. */
export function signOutGuesser(request: FastifyRequest, reply: FastifyReply): never {
  clearSessionCookie(reply)
  request.viewer = null
  throw new Refusal(401, 'You were signed out after 10 wrong current passwords. Sign in again; nothing was changed.')
}
