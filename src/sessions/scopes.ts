import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../config/values.ts'
import { type Database, inTime } from '../db/client.ts'
import { readOrganization } from '../organization/store.ts'
import { checkAccess } from '../web/access.ts'
import { clientAddress } from '../web/client-address.ts'
import type { Deps } from '../web/deps.ts'
import type { Doors } from './doors.ts'
import { askToSignIn } from './ended-page.ts'
import { absoluteHours, hashSessionToken } from './session.ts'
import { findViewer, setFlash, touchSession } from './store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    cookieName: string
  }
}

/** Milliseconds that a request waits to find its viewer; shorter after other requests have timed out. */
const timeoutMs = 5000
const troubleTimeoutMs = 900

export async function serveSessions(app: FastifyInstance, deps: Deps, doors: Doors): Promise<void> {
  const { db, secretKey } = deps
  const { baseUrl } = deps.config
  const { protocol, hostname } = new URL(baseUrl)
  const isSecure = protocol === 'https:' || isLoopback(hostname)
  // browsers keep the __Host- prefix and Secure to https and localhost
  app.decorate('cookieName', isSecure ? '__Host-rollcall' : 'rollcall')
  if (!isSecure) app.log.warn('BASE_URL is plain http: session cookies cannot be marked Secure')
  await app.register(cookie)
  app.decorateRequest('viewer', null)
  app.decorateRequest('organization', null)
  app.decorateRequest('flash', null)
  // the first query of every request: if it hangs or gets no connection, the database counts as unreachable
  let isInTrouble = false
  app.addHook('onRequest', async request => {
    if (!asksDatabase(request)) return
    try {
      await inTime(findOutWho(db, request), isInTrouble ? troubleTimeoutMs : timeoutMs)
      isInTrouble = false
    } catch (error) {
      isInTrouble = true
      throw error
    }
  })
  const ended = { db, secretKey, baseUrl, doors }
  app.addHook('onRequest', (request, reply) =>
    checkAccess(request, reply, () => askToSignIn(ended, request, reply, sessionHash(request)))
  )
  // a form may arrive long after its head: its sender's role is checked again then
  app.addHook('preHandler', async (request, reply) => {
    const { method, viewer, routeOptions } = request
    if (!viewer || method === 'GET' || method === 'HEAD' || routeOptions.config.access === 'anyone') return undefined
    const tokenHash = sessionHash(request)
    const now = tokenHash && (await inTime(findViewer(db, tokenHash), timeoutMs))
    request.viewer = now ? { ...viewer, role: now.role, needsFactor: now.needsFactor } : null
    return checkAccess(request, reply, () => askToSignIn(ended, request, reply, tokenHash))
  })
}

const asksDatabase = ({ routeOptions, url }: FastifyRequest) =>
  routeOptions.config.access !== 'operator' && !url.startsWith('/assets/')

async function findOutWho(db: Database, request: FastifyRequest) {
  const tokenHash = sessionHash(request)
  const found = tokenHash && (await findViewer(db, tokenHash))
  if (!found) {
    request.organization = (await readOrganization(db))?.organization ?? null
    return
  }
  const { flash, organization, isStale, name, ...viewer } = found
  request.viewer = { ...viewer, name: name ?? viewer.email }
  request.organization = organization
  if (isStale && !refreshesItself(request)) await touchSession(db, viewer.sessionId)
  if (flash !== null && request.method === 'GET' && isWholePage(request)) {
    request.flash = flash
    await setFlash(db, viewer.sessionId, null)
  }
}

/** Also when htmx extracts the main part; a message is not for a part that refreshes itself. */
const isWholePage = ({ headers }: FastifyRequest) => !headers['hx-request'] || headers['hx-request-type'] === 'full'

/** A page that polls must not keep an idle session alive. */
function refreshesItself(request: FastifyRequest): boolean {
  const { query } = request
  const isRefresh = typeof query === 'object' && query !== null && 'refresh' in query
  return isRefresh || request.headers['hx-trigger-name'] === 'refresh'
}

export function sessionToken(request: FastifyRequest): string | undefined {
  const value = request.cookies[request.server.cookieName]
  return value && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined
}

export function sessionHash(request: FastifyRequest): Buffer | undefined {
  const token = sessionToken(request)
  return token === undefined ? undefined : hashSessionToken(token)
}

export function sendCookie(reply: FastifyReply, name: string, value: string, seconds: number): void {
  reply.setCookie(name, value, { ...cookieOptions(name), maxAge: seconds })
}

export const clearCookie = (reply: FastifyReply, name: string) => void reply.clearCookie(name, cookieOptions(name))

const cookieOptions = (name: string) =>
  ({ path: '/', httpOnly: true, secure: name.startsWith('__Host-'), sameSite: 'lax' }) as const

export const sendSessionCookie = (reply: FastifyReply, token: string) =>
  sendCookie(reply, reply.server.cookieName, token, absoluteHours * 3600)

export const clearSessionCookie = (reply: FastifyReply) => clearCookie(reply, reply.server.cookieName)

export async function redirectWith(reply: FastifyReply, db: Database, location: string, text: string) {
  const { viewer } = reply.request
  if (viewer) await setFlash(db, viewer.sessionId, text)
  return reply.redirect(location, 303)
}

export function browserOf(request: FastifyRequest) {
  return {
    ip: clientAddress(request),
    userAgent: request.headers['user-agent'] ?? null,
    oldToken: sessionToken(request)
  }
}
