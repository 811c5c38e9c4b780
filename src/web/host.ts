/** Whether a request is meant for us. Hosts and origins are compared as in RFC 3986 (6.2), not as text. */
import type { IncomingMessage } from 'node:http'
import { plainAddress } from '../lib/network.ts'

const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443' }

/** Host and port in one spelling: lower case, without the root's dot and the default port; undefined if invalid. */
function hostIn(text: string, protocol: string): string | undefined {
  if (text.length > 300) return undefined
  const [, name, port = ''] = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::(\d*))?$/i.exec(text) ?? []
  if (name === undefined) return undefined
  const host = name.startsWith('[') ? plainAddress(name) : name.toLowerCase().replace(/\.$/, '')
  return host && `${host}:${port === '' ? defaultPorts[protocol] : Number(port)}`
}

export function isOwnHost(text: string | undefined, baseUrl: string): boolean {
  const { host, protocol } = new URL(baseUrl)
  const own = hostIn(host, protocol)
  return text !== undefined && own !== undefined && hostIn(text, protocol) === own
}

export function isOwnOrigin(text: string, baseUrl: string): boolean {
  const { protocol } = new URL(baseUrl)
  const start = `${protocol}//`
  return text.slice(0, start.length).toLowerCase() === start && isOwnHost(text.slice(start.length), baseUrl)
}

/** Whether the request line has an absolute URL of another origin, which overrides Host (RFC 9112, 3.2.2). */
export function isElsewhere(raw: IncomingMessage & { originalUrl?: string }, baseUrl: string): boolean {
  const url = raw.originalUrl ?? raw.url ?? '/'
  return !url.startsWith('/') && !(URL.canParse(url) && isOwnOrigin(new URL(url).origin, baseUrl))
}
