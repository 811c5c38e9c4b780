/** Quoted-printable for email bodies (RFC 2045 §6.7): lines of at most 76 characters, separated by CRLF. */

const hex = Array.from({ length: 256 }, (_, byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
const longestLine = 75 // and the "=" of a soft line break

/** Encodes text whose lines end in LF or CRLF. A line never begins with a dot, so SMTP has nothing to double. */
export function encodeQuotedPrintable(text: string): string {
  return text.split(/\r?\n/).map(encodeLine).join('\r\n')
}

/** Text to insert between others: soft breaks around it keep every line short and decode to nothing. */
export function encodeInset(text: string): string {
  const isPlain = text.length < longestLine && /^[\w/:@+,-][\w/:@.+,-]*$/.test(text)
  return `=\r\n${isPlain ? text : encodeLine(text.replace(/[\r\n]+/g, ' '))}=\r\n`
}

export function decodeQuotedPrintable(text: string): Buffer {
  const joined = text.replace(/[ \t]+$/gm, '').replace(/=\r?\n/g, '')
  const decoded = joined.replace(/=([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16))
  )
  return Buffer.from(decoded, 'latin1')
}

function encodeLine(line: string): string {
  const bytes = Buffer.from(line, 'utf8')
  let encoded = ''
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    const isBlank = byte === 32 || byte === 9
    const isSafe =
      (byte >= 33 && byte <= 126 && byte !== 61 && (byte !== 46 || length > 0)) || (isBlank && i + 1 < bytes.length)
    const piece = isSafe ? String.fromCharCode(byte) : hex[byte]!
    if (length + piece.length > longestLine) {
      encoded += '=\r\n'
      length = 0
      // a dot that has just become the first of its line
      if (byte === 46) {
        encoded += hex[46]
        length = 3
        continue
      }
    }
    encoded += piece
    length += piece.length
  }
  return encoded
}
