/** Applies to every request and reply: host, origin, headers, and a timeout for the body. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal, sendError } from './errors.ts'
import { parseQuery, refuseBrokenQuery } from './forms.ts'
import { isElsewhere, isOwnHost, isOwnOrigin } from './host.ts'
import { queryOf } from './paths.ts'
import { isWatched } from './uploads/rate.ts'

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'"
].join('; ')

export const policyWithFrame = `${policy}; frame-src 'self'`
/** For the framed email itself: its own inline styles, no script, nothing external. */
export const policyOfFramedMail =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox"

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // no-referrer would make browsers send "Origin: null" with a form
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-permitted-cross-domain-policies': 'none',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store'
}

/** Only this host: other hosts of the domain are not ours to decide. Browsers ignore it over plain http. */
const onlyEncrypted = { 'strict-transport-security': 'max-age=31536000' }

const bodySeconds = 10

export function guardRequests(app: FastifyInstance, baseUrl: string): void {
  const all = baseUrl.startsWith('https:') ? { ...headers, ...onlyEncrypted } : headers
  app.addHook('onRequest', async (request, reply) => {
    limitBodyTime(request, reply)
    reply.headers(all)
    if (isForeignHost(request, baseUrl) || isElsewhere(request.raw, baseUrl)) return refuseHost(reply, baseUrl)
    refuseBrokenQuery(request.is404 ? parseQuery(queryOf(request.url)) : request.query)
    if (isForgedAct(request, baseUrl))
      throw new Refusal(
        403,
        'This form was not sent from a page of Rollcall. Open the page again and send it from there.'
      )
    return undefined
  })
}

function isForeignHost(request: FastifyRequest, baseUrl: string): boolean {
  return request.routeOptions.config.access !== 'operator' && !isOwnHost(request.headers.host, baseUrl)
}

function refuseHost(reply: FastifyReply, baseUrl: string) {
  return reply.page('errors/wrong-host', { title: 'Another address', status: 421 }, { baseUrl })
}

/** OWASP's Fetch Metadata rule with the Origin fallback: no tokens, and plain-http intranets work. */
function isForgedAct({ method, headers, routeOptions }: FastifyRequest, baseUrl: string): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false
  if (routeOptions.config.anyOrigin) return false
  const site = headers['sec-fetch-site']
  const origin = headers.origin
  if (origin !== undefined && !isOwnOrigin(origin, baseUrl)) return true
  if (site === 'same-origin') return false
  return origin === undefined || (site !== undefined && site !== 'none')
}

/** A form has ten seconds, even if refused early; an upload has its own rule (uploads/rate.ts). */
function limitBodyTime({ raw, routeOptions }: FastifyRequest, reply: FastifyReply) {
  const end = () => {
    if (raw.complete || isWatched(raw)) return
    if (reply.sent) return void raw.destroy()
    reply.raw.once('finish', () => raw.destroy())
    reply.header('connection', 'close')
    sendError(reply, 408, tooLate)
  }
  const start = () => {
    const timer = setTimeout(end, bodySeconds * 1000).unref()
    for (const event of ['end', 'close', 'error'] as const) raw.once(event, () => clearTimeout(timer))
  }
  if (routeOptions.config.isUpload) reply.raw.once('finish', start)
  else start()
}

const tooLate = `The form did not arrive within ${bodySeconds} seconds. Nothing was changed. Please send it again.`
