/** What is typed into a search box, as it is compared. */
import { domainToASCII } from 'node:url'
import { readable } from './readable-domain.ts'
import { withoutUnseen } from './unseen.ts'

/** In NFC, as names and addresses are kept, and without what nobody sees typing it. */
export const searchText = (typed: string | undefined): string => withoutUnseen((typed ?? '').normalize('NFC')).trim()

/** A search text and its other spelling where it may be a domain name: "jo@müller" is kept as "jo@xn--mller-kva". */
export function spellingsOf(typed: string): string[] {
  const at = typed.lastIndexOf('@') + 1
  const name = typed.slice(at).toLowerCase()
  if (name.includes('xn--')) return [...new Set([typed, typed.slice(0, at) + readable(name)])]
  if (!/[^\0-\x7f]/.test(name)) return [typed]
  const ascii = domainToASCII(name)
  return ascii === '' ? [typed] : [typed, typed.slice(0, at) + ascii]
}
