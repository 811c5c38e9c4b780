/** Header lines that no typed text can break out of. */

export interface Mailbox {
  name?: string | null
  address: string
}

const wordBytes = 45 // of text in one encoded word: at most 75 characters when every byte is escaped (RFC 2047 §2)

/** Replaces line breaks, control and bidirectional formatting characters with spaces. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
}

export function encodeText(text: string): string {
  const line = oneLine(text)
  if (/^[ -~]{0,60}$/.test(line) && !line.includes('=?')) return line
  return encodedWords(line).join('\r\n ')
}

/** `"Name" <address>`. The address is stored in canonical form and written unchanged. */
export function encodeMailbox({ name, address }: Mailbox): string {
  const label = oneLine(name ?? '')
  const plain = oneLine(address).replace(/[\s<>]/g, '')
  if (!label) return plain
  const isQuotable = /^[ -~]{1,50}$/.test(label) && !/["\\]|=\?/.test(label)
  return isQuotable ? `"${label}" <${plain}>` : `${encodedWords(label).join('\r\n ')}\r\n <${plain}>`
}

export function headerDate(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000')
}

/** A header's text, unfolded and decoded. Reads only what this file writes. */
export function decodeText(header: string): string {
  const joined = header.replace(/\r\n(?=[ \t])/g, '').replace(/(\?=)\s+(?==\?)/g, '$1')
  return joined.replace(/=\?utf-8\?B\?([\w+/=]*)\?=/gi, (_, base64: string) =>
    Buffer.from(base64, 'base64').toString('utf8')
  )
}

function encodedWords(text: string): string[] {
  const words: string[] = []
  let piece = ''
  for (const character of text) {
    if (Buffer.byteLength(piece + character) > wordBytes) {
      words.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...words, piece].map(word => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`)
}
