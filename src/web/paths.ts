/** Paths as they come off the wire: read before they are routed, and masked before they are logged. */
import type { IncomingMessage } from 'node:http'
import { cutText } from '../lib/cut.ts'

/** What an address that cannot be read is answered as: there is nothing there. */
const unreadable = '/unreadable'

/**
 * The path that a request is routed by. A whole address, as proxies are asked for, loses its origin (`isElsewhere` says
 * whose it was); a path that is not UTF-8 becomes one where there is nothing, so that it gets our own page.
 */
export function routedPath(raw: { url?: string | undefined }): string {
  const url = raw.url ?? '/'
  const [path = '/', ...query] = (url.startsWith('/') ? url : pathOfWhole(url)).split('?')
  return decoded(path) === undefined ? unreadable : [path, ...query].join('?')
}

/** What comes after the first question mark. */
export const queryOf = (url: string) => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')

/** Does the request line name a whole address of another origin? It would win over the Host header (RFC 9112, 3.2.2). */
export function isElsewhere(raw: IncomingMessage & { originalUrl?: string }, baseUrl: string): boolean {
  const url = raw.originalUrl ?? raw.url ?? '/'
  return !url.startsWith('/') && originOf(url) !== baseUrl
}

/** The path without its query and without what is secret or someone's: a link's token, an address. */
export function pathForLog(url: string): string {
  const path = (url.startsWith('/') ? url : pathOfWhole(url)).split('?', 1)[0]!
  const plain = shortened(decoded(path) ?? unreadable, '/')
  const pieces = plain.split('/').map(piece => (piece.includes('@') ? '<address>' : piece))
  const masked = pieces
    .join('/')
    .replace(/\/(join|unsubscribe)\/.*$/is, '/$1/*')
    .replaceAll(/[\w-]{43,}/g, '*')
  return cutText(masked === decoded(path) ? path : masked, 300)
}

/** More than a pattern may be given: what a visitor sends must not decide how long it takes. */
const longest = 1024

/**
 * The beginning of a text that is too long for a pattern. It ends where a piece of it ends, so that no half of a token or
 * an address is left that would not be recognized.
 */
export function shortened(text: string, separator: string): string {
  if (text.length <= longest) return text
  return `${text.slice(0, text.slice(0, longest).lastIndexOf(separator) + 1)}…`
}

const originOf = (url: string) => (URL.canParse(url) ? new URL(url).origin : undefined)
const pathOfWhole = (url: string) => (URL.canParse(url) ? new URL(url).pathname + new URL(url).search : unreadable)

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
