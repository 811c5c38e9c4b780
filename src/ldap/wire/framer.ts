const gatheredFrom = 4_096

/** Cuts bytes into LDAP messages (RFC 4511 §5.1). Joining long ones at every chunk would take 15 s instead of 1. */
export class Framer {
  readonly #maxBytes: () => number
  readonly #take: (message: Buffer) => void
  #unread: Buffer = Buffer.alloc(0)
  #gathered: Buffer | undefined
  #filled = 0

  constructor(maxBytes: () => number, take: (message: Buffer) => void) {
    this.#maxBytes = maxBytes
    this.#take = take
  }

  get waiting(): number {
    return this.#unread.length + this.#filled
  }

  /** Hands on every complete message. Throws on anything that is not LDAP. */
  push(chunk: Buffer): void {
    const rest = this.#gathered ? this.#gather(this.#gathered, chunk) : chunk
    this.#unread = this.#unread.length === 0 ? rest : Buffer.concat([this.#unread, rest])
    while (this.#unread.length > 0) {
      const size = this.#sizeOfNext()
      if (size === 0) return
      if (this.#unread.length < size) {
        if (size < gatheredFrom) return
        this.#gathered = Buffer.allocUnsafeSlow(size)
        this.#unread = this.#gather(this.#gathered, this.#unread)
        return
      }
      const message = this.#unread.subarray(0, size)
      this.#unread = this.#unread.subarray(size)
      this.#take(message)
    }
  }

  #sizeOfNext(): number {
    const size = messageSize(this.#unread)
    const max = this.#maxBytes()
    if (size > max) throw new Error(`it sent a message of ${size} bytes, where ${max} is the maximum`)
    return size
  }

  #gather(message: Buffer, chunk: Buffer): Buffer {
    const count = chunk.copy(message, this.#filled)
    this.#filled += count
    if (this.#filled === message.length) {
      this.#gathered = undefined
      this.#filled = 0
      this.#take(message)
    }
    return chunk.subarray(count)
  }
}

/** Bytes of the message that starts here, header included; 0: too little to tell. */
function messageSize(bytes: Buffer): number {
  if (bytes[0] !== 0x30) throw new Error('what it sent is not LDAP')
  const first = bytes[1]
  if (first === undefined) return 0
  if (first < 0x80) return 2 + first
  const digits = first & 0x7f
  if (digits === 0 || digits > 4) throw new Error('it sent a message whose length cannot be read')
  return bytes.length < 2 + digits ? 0 : 2 + digits + bytes.readUIntBE(2, digits)
}
