import { domainToASCII } from 'node:url'
import { readable } from './addresses/readable-domain.ts'
import { withoutUnseen } from './text/unseen.ts'

export const searchText = (typed: string | undefined): string => withoutUnseen((typed ?? '').normalize('NFC')).trim()

/** Undefined below two characters: one would match almost everyone. */
export function searchTerm(typed: string | undefined): string | undefined {
  const text = searchText(typed)
  return [...text].length >= 2 ? text : undefined
}

/** Every spelling that may be stored: decomposed, and with the domain in ASCII form ("jo@xn--mller-kva"). */
export function spellingsOf(typed: string): string[] {
  if (!/xn--|[^\0-\x7f]/i.test(typed)) return [typed]
  const at = typed.lastIndexOf('@') + 1
  const name = typed.slice(at).toLowerCase()
  const other = name.includes('xn--') ? readable(name) : domainToASCII(name)
  const spelled = other === '' ? typed : typed.slice(0, at) + other
  return [...new Set([typed, typed.normalize('NFD'), spelled])]
}
