/** Paths as they come off the wire: read before they are routed, and masked before they are logged. */

import { first } from '../lib/ends.ts'
import { cutText } from '../lib/text/cut.ts'

/** What an address that cannot be read is answered as: there is nothing there. */
const unreadable = '/unreadable'

/**
 * The path that a request is routed by. A whole address, as proxies are asked for, loses its origin (`isElsewhere` says
 * whose it was); a path that is not UTF-8 becomes one where there is nothing, so that it gets our own page.
 */
export function routedPath(raw: { url?: string | undefined }): string {
  const url = raw.url ?? '/'
  const [path = '/', ...query] = (url.startsWith('/') ? url : pathOfWhole(url)).split('?')
  const plain = decoded(path)
  return plain === undefined ? unreadable : [linkIn(plain) ?? path, ...query].join('?')
}

const link = /^\/(join|unsubscribe)\/((?:[1-9]\d{0,15}\.)?[\w-]{43})(?![A-Za-z0-9])(\/[a-z]+$)?/

/**
 * The path of a link in a mail, without what mail programs and people take for a part of it: a full stop, a bracket, a
 * slash, the mark of a broken line. A page below the link's own is kept.
 */
function linkIn(path: string): string | undefined {
  const [, page, token, below = ''] = link.exec(path.slice(0, 200)) ?? []
  return page && `/${page}/${token}${below}`
}

/** The 43 characters that a text begins with, when it is a token that something other than letters follows. */
export const tokenIn = (text: string) => /^[\w-]{43}(?![A-Za-z0-9])/.exec(text)?.[0]

/** What comes after the first question mark. */
export const queryOf = (url: string) => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')

/** The path without its query and without what is secret or someone's: a link's token, an address. */
export function pathForLog(url: string): string {
  const path = first((url.startsWith('/') ? url : pathOfWhole(url)).split('?', 1))
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

const pathOfWhole = (url: string) => (URL.canParse(url) ? new URL(url).pathname + new URL(url).search : unreadable)

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
