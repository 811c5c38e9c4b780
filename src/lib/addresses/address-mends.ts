import { first } from '../ends.ts'
import { trimBlanks } from '../text/blanks.ts'

/** Full-width letters and signs of East Asian keyboards, their full stops, and the small @. */
const wide = /[\uff01-\uff5e\u3002\uff61\ufe6b\ufe52]/
const everyWide = new RegExp(wide, 'g')

export const isWide = (text: string) => wide.test(text)

export const narrow = (text: string) =>
  text.replace(everyWide, sign => (sign === '\u3002' || sign === '\uff61' ? '.' : sign.normalize('NFKC')))

const word = '(?:e-?mail|mail|smtp|sips?|xmpp|to|b?cc|from|reply-to|upn|userprincipalname|proxyaddresses|rfc822mailbox)'
/** LDIF, vCard, Exchange and mail headers: "mail:", "item1.EMAIL;TYPE=work:", "SMTP:", and any word before a blank. */
const label = new RegExp(
  `^["']?(?:item\\d{1,3}\\.)?(?:${word}(?:;[^:@]{0,200})?["']?::?|[\\p{L}][^\\s:@<>]{0,40}["']?::?\\s)`,
  'iu'
)
const encoded = /^[a-z][\w.;=-]{0,100}::\s?([a-z0-9+/]{4,}={0,2})$/i

export const isLabeled = (text: string) => label.test(text)

/** Two colons in LDIF announce base64. */
export function withoutLabel(text: string): string {
  const base64 = encoded.exec(text)?.[1]
  return base64 ? Buffer.from(base64, 'base64').toString('utf8') : text.replace(label, '')
}

const between = /[\s,;<>()[\]"“”„«»]+/
const scheme = /^(?:.*mailto|smtp):/i

export function mailboxesIn(text: string): string[] {
  if (text.indexOf('@') === text.lastIndexOf('@')) return []
  const words = wordsWithAt(text)
  const seen = new Set<string>()
  return words.filter(each => seen.size < seen.add(each.toLowerCase()).size)
}

export const isTwice = (text: string) => text.indexOf('@') < text.lastIndexOf('@') && wordsWithAt(text).length > 1

function wordsWithAt(text: string): string[] {
  const words = text.split(between).filter(each => each.includes('@'))
  return words.length < 2 ? words : words.map(each => unquote(first(each.replace(scheme, '').split('?', 1))))
}

const tag = /<\/?(?:a|b|br|p|div|span|t[dhr]|li|ul|ol|em|i|u|font|strong|code|h[1-6])(?:\s[^<>@]{0,300})?\/?>/gi
const linked = /["'(]mailto:([^"'()<>?]+)/i
const entity = /&(?:lt|gt|amp|quot|nbsp|period|commat|#\d{1,5}|#x[\da-f]{1,5});/gi
const named: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ', period: '.', commat: '@' }

export const isMarkup = (text: string) => [tag, linked, entity].some(each => text.search(each) >= 0)

export function withoutMarkup(text: string): string {
  const inLink = linked.exec(text)?.[1]
  return inLink ?? text.replace(tag, ' ').replace(entity, signOf)
}

function signOf(whole: string): string {
  const name = whole.slice(1, -1).toLowerCase()
  if (!name.startsWith('#')) return named[name] ?? whole
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ' '
}

/** "ada at example dot org", "ada(at)example.org", "ada%40example.org". */
export function spelledInSigns(text: string): string {
  return text
    .replace(/&#64;|&commat;|%40|=40/gi, '@')
    .replace(/\s?[[({<]\s?(?:at|ät|arroba)\s?[\])}>]\s?|\sat\s|_at_/gi, '@')
    .replace(/\s?[[({<]\s?(?:dot|punkt|point|punto)\s?[\])}>]\s?|\sdot\s/gi, '.')
}

/** The comment in parentheses, or the text before it if the comment is the address. */
export function withoutComment(text: string): string {
  const inner = /(?:^|\s)\(([^()]*@[^()]*)\)$/.exec(text)?.[1]
  return inner ?? text.replace(/\([^()]*\)/g, '')
}

export function cellWithAddress(text: string): string {
  const cells = cellsOf(text).map(trimBlanks)
  const at = cells.findIndex(each => each.includes('@'))
  const cell = cells[at]
  if (cell === undefined) return ''
  if (cells.length === 1) return unquote(cell)
  if (isCommaForDot(cells, at, text)) return text.replaceAll(',', '.')
  const before = cells.slice(0, at).filter(Boolean)
  const after = cells.slice(at + 1).filter(Boolean)
  return before.length > 1 || isBeside(before, cell, after) ? unquoteCell(cell) : ''
}

/** The cells of a line of CSV: a quotation mark at the start of one protects separators up to the next mark. */
function cellsOf(text: string, separators = ',;|\t'): string[] {
  const cells: string[] = []
  let cell = ''
  const pieces = text.match(new RegExp(`"(?:[^"]|"")*"|[^${separators}"]+|"|[${separators}]`, 'g')) ?? []
  for (const piece of pieces) {
    if (separators.includes(piece)) {
      cells.push(cell)
      cell = ''
    } else cell += piece
  }
  return [...cells, cell]
}

const reportRow =
  /^"?\d{1,10}"?([,;\t]).*\1"?(?:malformed|foreign|duplicate|active|deactivated|suppressed|pending|invite)"?\1/

export const isReportRow = (text: string) => reportRow.test(text)

export function addressInReport(text: string): string {
  const [, separator] = reportRow.exec(text) ?? []
  const [, said, address, , , suggestion] = cellsOf(text, separator).map(unquoteCell)
  return suggestion || address || said || ''
}

const unquoteCell = (cell: string) => (/^".*"$/s.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell)

function isCommaForDot(cells: string[], at: number, text: string): boolean {
  return (
    at === 0 &&
    cells.length > 1 &&
    !first(cells).slice(first(cells).indexOf('@')).includes('.') &&
    !/[\s;|"]|,$/.test(text)
  )
}

/** Lower-case letters before "b@example.org" may belong to it, and so may letters after a domain without a dot. */
function isBeside(before: readonly string[], address: string, after: readonly string[]): boolean {
  const at = address.indexOf('@')
  const local = address.slice(0, at)
  if (!address.includes('.', at) && after.some(isPart)) return false
  if (before.length === 0) return true
  const related = before.some(each => local.toLowerCase().includes(each.toLowerCase()) && each.length > 1)
  if (related) return true
  return !before.every(isPart) && !(before.length === 1 && isCapital(first(before)) && isCapital(local))
}

const isPart = (text: string) => /^[a-z0-9]+(?:[._+-][a-z0-9]+)*$/.test(text) && !/^\d+$/.test(text)
const isCapital = (text: string) => /^\p{Lu}[\p{L}\p{M}]+$/u.test(text)

export function withoutNeighbors(text: string): string {
  const at = text.indexOf('@')
  const joined = text.replaceAll(' @', '@').replaceAll('@ ', '@')
  if (joined !== text) return joined
  const dotted = text.slice(0, at) + text.slice(at).replaceAll('. ', '.').replaceAll(' .', '.')
  const words = text.split(/\s+/)
  const index = words.findIndex(each => each.includes('@'))
  const address = words[index]
  if (address === undefined) return ''
  if (dotted !== text && (address.endsWith('.') || words[index + 1]?.startsWith('.'))) return dotted
  return isBeside(words.slice(0, index), address, words.slice(index + 1)) ? address : ''
}

/** Removes quotation marks, a quoted name, marks around the local part, and a spreadsheet's apostrophe. */
export function unquote(text: string): string {
  const whole = /^=?["“”„«]([^"“”„«»]*)["“”»]$/.exec(text)?.[1]
  if (whole !== undefined) return whole
  const alone = text.replace(/^["“„][^"“”„@]*["”] +| ["“„][^"“”„@]*["”]$/g, '')
  if (alone !== text) return alone
  const plain = withoutEnd(text.replace(/^['‘’‚´]+/, ''), "'‘’‚´`")
  return plain === text ? text.replace(/^"([^"]*)"@/, '$1@') : plain.replace(/^`/, '')
}

/** Word processors bend apostrophes and lengthen hyphens; lists begin with bullets, and sentences end with a sign. */
export function typewritten(text: string): string {
  const withoutQuery = text.replace(/(@[^?]*)\?.*$/, '$1')
  return withoutEnd(withoutQuery, ':!?/\\*…、')
    .replace(/^[•·‣◦▪●○■□→✓✔*]+\s*/, '')
    .replace(/[‘’´]/g, "'")
    .replace(/[‐‑‒–—―−⁃﹣]/g, '-')
}

/** A regular expression for the last signs of a text would start again at each of them. */
function withoutEnd(text: string, signs: string): string {
  let end = text.length
  while (end > 0 && signs.includes(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}
