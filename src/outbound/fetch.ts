/** The one way out: requests to web servers that people have named (S12). Directories and mail servers have their own. */
import dns from 'node:dns'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPrivate } from './private-address.ts'

export interface OutboundOptions {
  /** `host:port` pairs where a private address is accepted: set by the operator, or loopback on a trial machine. */
  allow?: readonly string[]
  /** Of an answer's body; 1 MiB by default. */
  maxBytes?: number
  /** For the whole request, in milliseconds; 5,000 by default. */
  timeoutMs?: number
  resolve?: typeof dns.lookup
}

export interface OutboundRequest {
  method?: string
  headers?: Headers | Record<string, string>
  body?: unknown
  signal?: AbortSignal | null | undefined
}

export type OutboundFetch = (url: string, request?: OutboundRequest) => Promise<Response>

/** `ADDRESS`: not a public one; `TOO_LONG`: the answer is over the limit. Nothing was sent in the first case. */
export class OutboundRefusal extends Error {
  readonly code: 'ADDRESS' | 'TOO_LONG'

  constructor(code: OutboundRefusal['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * A `fetch` that reaches public addresses only, checked when the connection is made, so that no name and no later answer of
 * its DNS leads inside. Follows no redirect. @throws OutboundRefusal, or the connection's own error.
 */
export function outboundFetch(options: OutboundOptions = {}): OutboundFetch {
  return async (href, request = {}) => {
    const url = new URL(href)
    const isOpen = checkUrl(url, options.allow ?? [])
    const late = AbortSignal.timeout(options.timeoutMs ?? 5000)
    const signal = request.signal ? AbortSignal.any([request.signal, late]) : late
    return send(url, request, { ...options, signal, lookup: guardedLookup(isOpen, options.resolve ?? dns.lookup) })
  }
}

/** Whether the address was allowed by name. Node asks no `lookup` for a literal address: that is checked here. */
function checkUrl(url: URL, allow: readonly string[]): boolean {
  const { protocol, username, password, hostname } = url
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new OutboundRefusal('ADDRESS', `${protocol} is not a web address`)
  if (username || password) throw new OutboundRefusal('ADDRESS', 'The address holds a user name or a password')
  const isOpen = allow.includes(hostAndPort(url))
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) && !isOpen && isPrivate(host)) throw notPublic(host)
  return isOpen
}

/** A web address as `allow` names it. */
export const hostAndPort = ({ hostname, port, protocol }: URL) =>
  `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`

const notPublic = (address: string) => new OutboundRefusal('ADDRESS', `${address} is not a public address`)

function guardedLookup(isOpen: boolean, resolve: typeof dns.lookup): LookupFunction {
  return (name, options, answer) =>
    resolve(name, { ...options, all: true }, (error, found) => {
      const refused = isOpen ? undefined : found?.find(({ address }) => isPrivate(address))
      const [first] = found ?? []
      if (error || refused || !first) answer(error ?? notPublic(refused?.address ?? name), [])
      else if (options.all) answer(null, found)
      else answer(null, first.address, first.family)
    })
}

type Sending = OutboundOptions & { signal: AbortSignal; lookup: LookupFunction }

function send(url: URL, { method = 'GET', headers, body }: OutboundRequest, sending: Sending): Promise<Response> {
  const payload = body === undefined || body === null ? undefined : Buffer.from(String(body))
  const { signal, lookup } = sending
  return new Promise((resolve, reject) => {
    const lengths = payload ? { 'content-length': String(payload.length) } : {}
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      lookup,
      signal,
      agent: false,
      headers: { ...Object.fromEntries(new Headers(headers)), ...lengths }
    })
    // an abort must reject with its reason, or a timeout looks like any fault
    const fail = (error: unknown) => {
      reject(signal.aborted ? signal.reason : error)
      request.destroy()
    }
    request.on('error', fail)
    request.on('response', answer => receive(answer, sending.maxBytes ?? 2 ** 20).then(resolve, fail))
    request.end(payload)
  })
}

async function receive(answer: IncomingMessage, maxBytes: number): Promise<Response> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    size += chunk.length
    if (size > maxBytes) throw new OutboundRefusal('TOO_LONG', `The answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  const { statusCode: status = 502, headersDistinct } = answer
  const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value])
  )
  const hasBody = ![204, 205, 304].includes(status)
  return new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers })
}
