export interface Framer {
  /** Takes bytes as they come, and hands on every complete message. Throws on anything that is not LDAP. */
  push(chunk: Buffer): void
  /** Bytes of the incomplete message. */
  waiting(): number
}

/** A longer incomplete message is gathered in one buffer of its own size. */
const gatheredFrom = 4_096

/**
 * Cuts the byte stream into LDAP messages (RFC 4511 §5.1: one BER SEQUENCE each). Every byte of a long message is copied once: joining at
 * every chunk would take 15 s instead of 1 for a group of 500,000 values. `maxBytes` is asked when the length of a message is known.
 */
export function frame(maxBytes: () => number, take: (message: Buffer) => void): Framer {
  let unread: Buffer = Buffer.alloc(0)
  let gathered: Buffer | undefined
  let filled = 0

  function sizeOfNext(): number {
    const size = messageSize(unread)
    const max = maxBytes()
    if (size > max) throw new Error(`it sent a message of ${size} bytes, where ${max} is the maximum`)
    return size
  }

  /** The rest of the chunk after the long message took its share. */
  function gather(chunk: Buffer): Buffer {
    const message = gathered!
    const count = chunk.copy(message, filled)
    filled += count
    if (filled === message.length) {
      gathered = undefined
      filled = 0
      take(message)
    }
    return chunk.subarray(count)
  }

  return {
    waiting: () => unread.length + filled,
    push(chunk) {
      const rest = gathered ? gather(chunk) : chunk
      unread = unread.length === 0 ? rest : Buffer.concat([unread, rest])
      while (unread.length > 0) {
        const size = sizeOfNext()
        if (size === 0) return
        if (unread.length < size) {
          if (size < gatheredFrom) return
          gathered = Buffer.allocUnsafeSlow(size)
          unread = gather(unread)
          return
        }
        const message = unread.subarray(0, size)
        unread = unread.subarray(size)
        take(message)
      }
    }
  }
}

/** Bytes of the message that starts here, header included; 0: too little to tell. */
function messageSize(bytes: Buffer): number {
  if (bytes[0] !== 0x30) throw new Error('what it sent is not LDAP')
  if (bytes.length < 2) return 0
  const first = bytes[1]!
  if (first < 0x80) return 2 + first
  const digits = first & 0x7f
  if (digits === 0 || digits > 4) throw new Error('it sent a message whose length cannot be read')
  return bytes.length < 2 + digits ? 0 : 2 + digits + bytes.readUIntBE(2, digits)
}
