/** Where people go after they have signed in: to the page they asked for, or to their second factor first. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { keysOf } from '../config/env.ts'
import { passkeySite } from '../lib/passkey-site.ts'
import type { Deps } from '../web/deps.ts'
import { keptPage } from './ended-page.ts'
import { type FactorTicket, openFactorTicket, sealFactorTicket } from './factor-ticket.ts'
import { factorsOf } from './factors-store.ts'
import { openForm } from './kept-form.ts'
import { welcome } from './known-browser.ts'
import { clearCookie, sendCookie } from './scopes.ts'
import { hashSessionToken, ticketMinutes } from './session.ts'
import type { Started } from './start-session.ts'
import { findViewer, setFlash } from './store.ts'

interface Destination {
  next: string | undefined
  /** A form that was sent when the session had ended, sealed. */
  kept?: string
}

export const homeOf = (role: string) => (role === 'member' ? '/me' : '/')

export async function entered(
  deps: Deps,
  reply: FastifyReply,
  started: Started & { personId: number },
  { next, kept = '' }: Destination
) {
  const { db, secretKey } = deps
  const { personId, role } = started
  const target = next ?? homeOf(role)
  if (started.token === undefined)
    return askFactor(deps, reply, { sessionId: started.waiting, personId, next: target }, kept)
  clearTicket(reply)
  welcome(reply, keysOf(deps), personId, started.token)
  if (kept === '') return reply.redirect(target, 303)
  const viewer = await findViewer(db, hashSessionToken(started.token))
  const form = openForm(secretKey, kept)
  if (viewer && form?.personId === viewer.id) return keptPage(reply, viewer.email, form, target)
  const discarded = form
    ? 'What was entered before belongs to someone else and was discarded.'
    : 'Your earlier input could not be kept. Nothing was sent.'
  if (viewer) await setFlash(db, viewer.sessionId, discarded)
  return reply.redirect(target, 303)
}

const nameOf = ({ server }: { server: { cookieName: string } }) => `${server.cookieName}-factor`

/** A kept form is too large for a cookie: it waits in the page. */
async function askFactor(deps: Deps, reply: FastifyReply, ticket: FactorTicket, kept: string) {
  sendCookie(reply, nameOf(reply), sealFactorTicket(deps.secretKey, ticket), ticketMinutes * 60)
  return kept === '' ? reply.redirect('/sign-in/second-factor', 303) : factorPage(deps, reply, ticket, { kept })
}

export const ticketOf = ({ secretKey }: Deps, request: FastifyRequest): FactorTicket | undefined =>
  openFactorTicket(secretKey, request.cookies[nameOf(request)])

export function clearTicket(reply: FastifyReply): void {
  if (reply.request.cookies[nameOf(reply)] !== undefined) clearCookie(reply, nameOf(reply))
}

/** Asks for the second factor. */
export async function factorPage(
  { db, config }: Deps,
  reply: FastifyReply,
  { personId, next }: FactorTicket,
  { kept = '', error, status = 200 }: { kept?: string; error?: string; status?: number }
) {
  const { hasCodes, hasPasskey } = await factorsOf(db, personId)
  return reply.page(
    'second-factor/sign-in',
    { title: error ? 'Error: Second factor' : 'Second factor', status },
    {
      next,
      kept,
      error: error ?? null,
      hasCodes,
      hasPasskey: hasPasskey && passkeySite(config.baseUrl) !== undefined
    }
  )
}
