import { URL } from 'node:url'

/** What `ldap:///base?attributes?scope?filter` (RFC 4516) of a dynamic group asks for. */
export interface MemberUrl {
  host: string
  base: string
  scope: 'base' | 'one' | 'sub'
  filter: string
}

export function parseMemberUrl(text: string): MemberUrl | undefined {
  const found = /^ldaps?:\/\/([^/?]*)(?:\/([^?]*))?(?:\?([^?]*))?(?:\?([^?]*))?(?:\?([^?]*))?/i.exec(
    text.slice(0, 8_192)
  )
  if (!found) return undefined
  try {
    const [host = '', base = '', , scope = '', filter = ''] = found.slice(1).map(part => decodeURIComponent(part ?? ''))
    const word = scope.toLowerCase() || 'base'
    if (word !== 'base' && word !== 'one' && word !== 'sub') return undefined
    const name = host === '' ? '' : new URL(`ldap://${host}`).hostname.toLowerCase()
    return { host: name, base, scope: word, filter: filter || '(objectClass=*)' }
  } catch {
    return undefined
  }
}
