import { first } from '../lib/ends.ts'
import { cutText } from '../lib/text/cut.ts'

const unreadable = '/unreadable'

/** The path for routing: absolute URLs lose their origin (see `isElsewhere`); non-UTF-8 ones lead to our own 404. */
export function routedPath(raw: { url?: string | undefined }): string {
  const url = raw.url ?? '/'
  const [path = '/', ...query] = (url.startsWith('/') ? url : pathOfWhole(url)).split('?')
  const plain = decoded(path)
  return plain === undefined ? unreadable : [linkIn(plain) ?? path, ...query].join('?')
}

const link = /^\/(join|unsubscribe|forgotten)\/((?:[1-9]\d{0,15}\.)?[\w-]{43})(?![A-Za-z0-9])(\/[a-z]+$)?/

/** A mail link's path without what mail programs append: a full stop, a bracket, a slash, a line break's mark. */
function linkIn(path: string): string | undefined {
  const [, page, token, below = ''] = link.exec(path.slice(0, 200)) ?? []
  return page && `/${page}/${token}${below}`
}

/** The 43-character token at the start of a text, if no token character follows. */
export const tokenIn = (text: string) => /^[\w-]{43}(?![A-Za-z0-9])/.exec(text)?.[0]

export const queryOf = (url: string) => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')

export function pathForLog(url: string): string {
  const path = first((url.startsWith('/') ? url : pathOfWhole(url)).split('?', 1))
  const plain = shortened(decoded(path) ?? unreadable, '/')
  const pieces = plain.split('/').map(piece => (piece.includes('@') ? '<address>' : piece))
  const masked = pieces
    .join('/')
    .replace(/\/(join|unsubscribe|forgotten|once)\/.*$/is, '/$1/*')
    .replaceAll(/[\w-]{43,}/g, '*')
  return cutText(masked === decoded(path) ? path : masked, 300)
}

/** Longer texts don't reach a pattern: a visitor must not decide how long it takes. */
const longest = 1024

/** Cuts a long text where a piece ends, so that no half of a token or address stays unrecognized. */
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
