/** What is wrong with a line that is not an address, and the address that was clearly meant. */

import { first } from '../ends.ts'
import { trimBlanks } from '../text/blanks.ts'
import * as mend from './address-mends.ts'

export type FaultCode =
  | 'blank'
  | 'invisible'
  | 'wide'
  | 'label'
  | 'mailto'
  | 'several'
  | 'twice'
  | 'markup'
  | 'no-at'
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
  repair?: string
}

type Read = (text: string) => string | undefined

/** `text`: trimmed, at most 1,024 characters. `read` returns the address that a text is, if any. */
export function faultOf(text: string, read: Read): Fault {
  const rule = ruleFor(text, read)
  const [fault] = rule
  const repair = repairOf(text, read, rule)
  return repair === undefined ? { fault } : { fault, repair }
}

/** "mail: <ada@example.org>." needs three steps; a line that needs more than a few is not clear. */
const maxSteps = 5

function repairOf(text: string, read: Read, first: Rule): string | undefined {
  let before = text
  for (let step = 0; step < maxSteps; step += 1) {
    const [, , mended, isLast] = step === 0 ? first : ruleFor(before, read)
    const after = mended && trimBlanks(mended(before))
    if (after === undefined || after === before) return undefined
    const address = read(after)
    if (address !== undefined || isLast?.(before)) return address
    before = after
  }
  return undefined
}

const ruleFor = (text: string, read: Read) => rules.find(([, applies]) => applies(text)) ?? partAtFault(text, read)

/** `isLast`: the result must be an address; removing more would make it another one. */
type Rule = readonly [
  fault: FaultCode,
  applies: (text: string) => boolean,
  mend?: (text: string) => string,
  isLast?: (text: string) => boolean
]

const always = () => true
const localIn = (text: string) => text.slice(0, text.lastIndexOf('@'))
const domainIn = (text: string) => text.slice(text.lastIndexOf('@') + 1)
const count = (text: string, sign: string) => text.split(sign).length - 1

const control = /[^\P{Cc}\t]/u
const unseen = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
const bracketed = /^[^<>]*<+([^<>]*)>+[\s,;]*$/
const wrapped = /^(?:\([^()]*\)|\[[^[\]]*\]|\{[^{}]*\})[.,;]?$/
const quotes = /["“”„«»]|^['‘’‚´]|['‘’‚´`]$/

/** The first match names the fault. Every expression here is linear in the length of the text. */
const rules: readonly Rule[] = [
  ['blank', text => text === ''],
  ['invisible', text => control.test(text) || text.search(unseen) >= 0, text => text.replace(unseen, '')],
  ['table', mend.isReportRow, mend.addressInReport],
  ['wide', mend.isWide, mend.narrow],
  ['mailto', text => /^mailto:/i.test(text), text => first(text.slice('mailto:'.length).split('?', 1))],
  ['label', mend.isLabeled, mend.withoutLabel],
  ['several', text => mend.mailboxesIn(text).length > 1],
  ['twice', mend.isTwice, text => first(mend.mailboxesIn(text))],
  ['markup', mend.isMarkup, mend.withoutMarkup],
  ['no-at', text => !text.includes('@'), mend.spelledInSigns],
  ['display-name', text => bracketed.test(text), text => text.replace(bracketed, '$1')],
  ['no-closing-bracket', text => count(text, '<') > count(text, '>'), text => text.slice(text.lastIndexOf('<') + 1)],
  ['no-opening-bracket', text => count(text, '>') > count(text, '<'), text => text.replace('>', '')],
  ['encoded-word', text => text.includes('=?')],
  ['display-name', text => wrapped.test(text), text => text.slice(1, text.search(/[)\]}][.,;]?$/))],
  ['comment', text => /[()]/.test(text), mend.withoutComment],
  ['table', text => /[,;|\t]/.test(text), mend.cellWithAddress],
  ['quotes', text => quotes.test(text), mend.unquote, text => text.includes('"@')],
  ['two-ats', text => count(text, '@') > 1, text => text.replaceAll('@@', '@').replace(/^@|@$/, ''), always],
  ['blank-inside', text => /\s/.test(text), mend.withoutNeighbors],
  ['no-local', text => text.startsWith('@')],
  ['no-domain', text => text.endsWith('@')],
  ['ip-address', text => /^(?:\[.*\]|[\d.]*\d)$/.test(domainIn(text))],
  ['two-dots', text => text.includes('..'), text => text.replace(/\.+/g, '.')],
  ['trailing-dot', text => text.endsWith('.'), text => text.slice(0, -1)],
  ['edge-dot', text => /^\.|\.@|@\./.test(text), text => text.replace(/^\./, '').replace('.@', '@').replace('@.', '@')],
  ['long-local', text => Buffer.byteLength(localIn(text)) > 64],
  ['too-long', text => Buffer.byteLength(text) > 254]
]

function partAtFault(text: string, read: Read): Rule {
  if (!read(`a@${domainIn(text)}`)) return ['bad-domain', always, mend.typewritten, always]
  if (read(`${localIn(text)}@a`)) return ['too-long', always]
  return ['bad-character', always, mend.typewritten, always]
}
