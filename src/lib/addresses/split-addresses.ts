/** These functions also run in the browser (web/assets.ts prints them), so they use only each other. */

/** Splits at `;` and line ends, then commas, then blanks, but not in quotation marks or names. One @ sign: one part. */
export function splitAddresses(text: string): string[] {
  const parts = cutAt(text, ';\n\r')
  const whole = cutAt(text, '\n\r')
    .map(line => trimSigns(line))
    .filter(Boolean)
  if (whole.length === 1 && countAts(text) < 2) return whole
  return parts.flatMap(part => splitAtCommas(part)).flatMap(part => splitAtBlanks(part))
}

function countAts(text: string): number {
  return text.split('@').length - 1
}

function trimSigns(text: string): string {
  const blank = ' ,;\t\n\r\v\f\u0085\u00a0\u00ad\u1680\u180e\u2028\u2029\u202f\u205f\u3000\ufeff\u001a'
  const isDropped = (sign: string) =>
    blank.includes(sign) || (sign >= '\u2000' && sign <= '\u200f') || (sign >= '\u205f' && sign <= '\u206f')
  let start = 0
  let end = text.length
  while (start < end && isDropped(text.charAt(start))) start += 1
  while (end > start && isDropped(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/** A line's end closes a quotation. */
function cutAt(text: string, separators: string): string[] {
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at)
    if (sign === '\n' || sign === '\r') isQuoted = false
    if (sign === '"') isQuoted = !isQuoted && text.includes('"', at + 1)
    if (isQuoted || !separators.includes(sign)) continue
    parts.push(text.slice(start, at))
    start = at + 1
  }
  return [...parts, text.slice(start)]
}

/** "Doe, Jane <jane@example.org>, rick@example.org" holds two. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = []
  let name = ''
  for (const piece of cutAt(text, ',')) {
    const whole = name + piece
    if (piece.includes('@') && (piece.includes('<') || name === '')) {
      parts.push(whole)
      name = ''
    } else if (piece.includes('@')) {
      parts.push(...name.split(','), piece)
      name = ''
    } else name = `${whole},`
  }
  return [...parts, ...name.split(',')].map(part => trimSigns(part)).filter(Boolean)
}

function splitAtBlanks(text: string): string[] {
  if (countAts(text) < 2 || /[<"]/.test(text)) return [text]
  return text.split(/\s+/).filter(Boolean)
}

export function withoutName(text: string): string {
  return text.replace(/^[^<>@]*<([^<>@\s]+@[^<>@\s]+)>$/, '$1')
}

export const browserFunctions = [splitAddresses, countAts, trimSigns, cutAt, splitAtCommas, splitAtBlanks, withoutName]
