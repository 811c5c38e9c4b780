export interface Framer {
  /** Takes bytes as they come, and hands on every message that became whole. Throws on what is no LDAP. */
  push(chunk: Buffer): void
  /** Bytes of a message that is not whole yet. */
  waiting(): number
}

/**
 * Cuts the byte stream into whole LDAP messages (RFC 4511 §5.1: one BER SEQUENCE each). Chunks are joined once per
 * message: joining at every chunk makes a group of 500,000 values take 15 s instead of 1.
 */
export function frame(maxBytes: number, take: (message: Buffer) => void): Framer {
  let chunks: Buffer[] = []
  let have = 0
  let need = 0

  function sizeOfNext(): number {
    if (have < 2) return 0
    if (chunks[0]!.length < Math.min(6, have)) chunks = [Buffer.concat(chunks)]
    const size = messageSize(chunks[0]!)
    if (size > maxBytes) throw new Error(`it sent a message of ${size} bytes, where ${maxBytes} is the most we take`)
    return size
  }

  return {
    waiting: () => have,
    push(chunk) {
      chunks.push(chunk)
      have += chunk.length
      for (;;) {
        need ||= sizeOfNext()
        if (need === 0 || have < need) return
        const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
        const message = all.subarray(0, need)
        chunks = all.length > need ? [all.subarray(need)] : []
        have = all.length - need
        need = 0
        take(message)
      }
    }
  }
}

/** Bytes of the message that starts here, header included; 0: too little to tell. */
function messageSize(bytes: Buffer): number {
  if (bytes[0] !== 0x30) throw new Error('what it sent is not LDAP')
  const first = bytes[1]!
  if (first < 0x80) return 2 + first
  const digits = first & 0x7f
  if (digits === 0 || digits > 4) throw new Error('it sent a message whose length cannot be read')
  return bytes.length < 2 + digits ? 0 : 2 + digits + bytes.readUIntBE(2, digits)
}
