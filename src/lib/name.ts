/** Names that people choose: for themselves, a team, the organization. */
import { withoutUnseen } from './text/unseen.ts'

const maxLength = 200
/** They turn around the text that follows, a page's own included. */
const bidiControls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u
/** A mark that combines is only seen on something; the Braille blank and the null notehead are symbols that are blank. */
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u
/** Words of ASCII, as most names are: nothing to change and nothing that cannot be seen. */
const plain = /^[!-~]+(?: [!-~]+)*$/
const blankSymbols = /[\u2800\u{1d159}]/gu

/**
 * A name as it is kept: on one line, in NFC, without what turns text around. Undefined when there is nothing to see in
 * it, or more than 200 characters. Joiners stay: Persian and Indic names and emoji need them.
 */
export function readName(text: string): string | undefined {
  const typed = text.trim()
  if (typed.length <= maxLength && plain.test(typed)) return typed
  if (typed.length > maxLength || control.test(typed)) return undefined
  const name = typed.replace(bidiControls, '').replace(/\s+/g, ' ').trim().normalize('NFC')
  return name.length <= maxLength && isVisible(name) ? name : undefined
}

const isVisible = (text: string) => visible.test(withoutUnseen(text).replace(blankSymbols, ''))
