/** What is wrong with a line that is not an address, and the address that was plainly meant. */
import { trimBlanks } from './blanks.ts'

export type FaultCode =
  | 'blank'
  | 'invisible'
  | 'mailto'
  | 'no-at'
  | 'several'
  | 'display-name'
  | 'no-closing-bracket'
  | 'no-opening-bracket'
  | 'encoded-word'
  | 'comment'
  | 'table'
  | 'quotes'
  | 'two-ats'
  | 'blank-inside'
  | 'no-local'
  | 'no-domain'
  | 'ip-address'
  | 'two-dots'
  | 'trailing-dot'
  | 'edge-dot'
  | 'long-local'
  | 'too-long'
  | 'bad-domain'
  | 'bad-character'

export interface Fault {
  fault: FaultCode
  /** A whole address, where only one can be meant. */
  repair?: string
}

/** `text` has no blanks around it and at most 1,024 characters; `read` gives the address that a text is, if any. */
export function faultOf(text: string, read: (text: string) => string | undefined): Fault {
  const [fault, , mend] = rules.find(([, applies]) => applies(text)) ?? partAtFault(text, read)
  const repair = mend && read(trimBlanks(mend(text)))
  return repair === undefined ? { fault } : { fault, repair }
}

type Rule = readonly [fault: FaultCode, applies: (text: string) => boolean, mend?: (text: string) => string]

const always = () => true
const localIn = (text: string) => text.slice(0, text.lastIndexOf('@'))
const domainIn = (text: string) => text.slice(text.lastIndexOf('@') + 1)
const count = (text: string, sign: string) => text.split(sign).length - 1

const control = /[^\P{Cc}\t]/u
const unseen = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
const bracketed = /^[^<>]*<([^<>]*)>[\s,;]*$/
const quotes = /["“”„«»]|^['‘’‚]|['‘’‚]$/

/** The first that applies names the fault. Every expression here reads a text of n characters in n steps. */
const rules: readonly Rule[] = [
  ['blank', text => text === ''],
  ['invisible', text => control.test(text) || text.search(unseen) >= 0, text => text.replace(unseen, '')],
  ['mailto', text => /^mailto:/i.test(text), text => text.slice('mailto:'.length).split('?', 1)[0]!],
  ['no-at', text => !text.includes('@'), text => text.replace('＠', '@')],
  ['several', text => text.split(/[,;\s]/).filter(word => word.includes('@')).length > 1],
  ['display-name', text => bracketed.test(text), text => bracketed.exec(text)![1]!],
  ['no-closing-bracket', text => count(text, '<') > count(text, '>'), text => text.slice(text.lastIndexOf('<') + 1)],
  ['no-opening-bracket', text => count(text, '>') > count(text, '<'), text => text.replace('>', '')],
  ['encoded-word', text => text.includes('=?')],
  ['comment', text => /[()]/.test(text), text => text.replace(/\([^()]*\)/g, '')],
  ['table', text => /[,;\t]/.test(text), cellWithAddress],
  ['quotes', text => quotes.test(text), unquote],
  ['two-ats', text => count(text, '@') > 1, text => text.replaceAll('@@', '@')],
  ['blank-inside', text => /\s/.test(text), text => text.replaceAll(' @', '@').replaceAll('@ ', '@')],
  ['no-local', text => text.startsWith('@')],
  ['no-domain', text => text.endsWith('@')],
  ['ip-address', text => /^(?:\[.*\]|[\d.]*\d)$/.test(domainIn(text))],
  ['two-dots', text => text.includes('..'), text => text.replace(/\.+/g, '.')],
  ['trailing-dot', text => text.endsWith('.'), text => text.slice(0, -1)],
  ['edge-dot', text => /^\.|\.@|@\./.test(text), text => text.replace(/^\./, '').replace('.@', '@').replace('@.', '@')],
  ['long-local', text => Buffer.byteLength(localIn(text)) > 64],
  ['too-long', text => Buffer.byteLength(text) > 254]
]

function partAtFault(text: string, read: (text: string) => string | undefined): Rule {
  if (!read(`a@${domainIn(text)}`)) return ['bad-domain', always]
  if (read(`${localIn(text)}@a`)) return ['too-long', always]
  return ['bad-character', always, typewritten]
}

/** A cell in which nothing but the address stands, perhaps in quotes. */
function cellWithAddress(text: string): string {
  const cell = text.split(/[,;\t]/).find(each => each.includes('@')) ?? ''
  return unquote(trimBlanks(cell))
}

/** Without one pair of quotes: those around a part of an address would make another address of it. */
function unquote(text: string): string {
  const whole = /^["“”„«'‘‚]([^"“”„«»]*)["“”»'‘’]$/.exec(text)
  return whole ? whole[1]! : text.replace(/^"([^"]*)"@/, '$1@')
}

/** Word processors bend apostrophes and lengthen hyphens. */
function typewritten(text: string): string {
  return text.replace(/[‘’]/g, "'").replace(/[‐‑–—]/g, '-')
}
