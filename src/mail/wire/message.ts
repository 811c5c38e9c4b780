import type { Mail } from '../delivery.ts'

const crlf = Buffer.from('\r\n')

/** A message for DATA, with the final dot (RFC 5321 §4.5.2). Our own messages never need a doubled dot. */
export function asText(bytes: Buffer): Buffer[] {
  return [withDotsDoubled(bytes), Buffer.from(bytes.subarray(-2).equals(crlf) ? '.\r\n' : '\r\n.\r\n')]
}

function withDotsDoubled(bytes: Buffer): Buffer {
  if (bytes[0] !== 46 && !bytes.includes('\r\n.')) return bytes
  return Buffer.from(
    bytes.toString('latin1').replace(/^\.|\r\n\./g, dotted => `${dotted}.`),
    'latin1'
  )
}

export const isAscii = (text: string) => /^[\x00-\x7f]*$/.test(text)

export function commandsFor({ from, to }: Mail, mustReset: boolean): string[] {
  const isWide = !isAscii(to) || !isAscii(from)
  const mail = `MAIL FROM:<${from}>${isWide ? ' SMTPUTF8 BODY=8BITMIME' : ''}\r\n`
  return [...(mustReset ? ['RSET\r\n'] : []), mail, `RCPT TO:<${to}>\r\n`, 'DATA\r\n']
}

/** Exactly one address, unambiguous on a RCPT line. The full rules apply where addresses are entered. */
export function isOneAddress(address: string): boolean {
  return (
    address.length <= 254 && /^[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/iu.test(address)
  )
}
