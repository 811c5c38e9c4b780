import { withoutUnseen } from './text/unseen.ts'

const maxLength = 200
/** They would reverse the text that follows, on the page too. */
const bidiControls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u
/** A combining mark is visible only on another character; the Braille blank and the null notehead are blank symbols. */
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u
const plain = /^[!-~]+(?: [!-~]+)*$/
const blankSymbols = /[\u2800\u{1d159}]/gu

/** A name as stored: one line, NFC, at most 200 characters, something visible. Joiners stay: many scripts need them. */
export function readName(text: string): string | undefined {
  const typed = text.trim()
  if (typed.length <= maxLength && plain.test(typed)) return typed
  if (typed.length > maxLength || control.test(typed)) return undefined
  const name = typed.replace(bidiControls, '').replace(/\s+/g, ' ').trim().normalize('NFC')
  return name.length <= maxLength && isVisible(name) ? name : undefined
}

const isVisible = (text: string) => visible.test(withoutUnseen(text).replace(blankSymbols, ''))
