/** Reads the text of a distinguished name (RFC 4514) into the names and values that it is made of. */

const names = new Map(
  Object.entries({
    '2.5.4.3': 'cn',
    commonname: 'cn',
    '2.5.4.4': 'sn',
    surname: 'sn',
    '2.5.4.5': 'serialnumber',
    '2.5.4.6': 'c',
    countryname: 'c',
    '2.5.4.7': 'l',
    localityname: 'l',
    '2.5.4.8': 'st',
    stateorprovincename: 'st',
    '2.5.4.9': 'street',
    streetaddress: 'street',
    '2.5.4.10': 'o',
    organizationname: 'o',
    '2.5.4.11': 'ou',
    organizationalunitname: 'ou',
    '0.9.2342.19200300.100.1.1': 'uid',
    userid: 'uid',
    '0.9.2342.19200300.100.1.25': 'dc',
    domaincomponent: 'dc'
  })
)

export const attributeOf = (name: string) => names.get(name.toLowerCase()) ?? name.toLowerCase()

export type Assertion = [name: string, value: string]

/** Relative names from the entry upwards; undefined: not a DN. */
export function parseDn(dn: string): Assertion[][] | undefined {
  const reader = new Reader(dn)
  const rdns: Assertion[][] = []
  reader.skipBlanks()
  if (reader.isAtEnd) return rdns
  for (;;) {
    const rdn: Assertion[] = []
    do {
      const assertion = reader.assertion()
      if (!assertion) return undefined
      rdn.push(assertion)
    } while (reader.skip('+'))
    rdns.push(rdn)
    if (reader.isAtEnd) return rdns
    if (!reader.skip(',') && !reader.skip(';')) return undefined
  }
}

/** Reads one attribute=value at a time. Values are collected as bytes, because escapes are bytes of UTF-8. */
class Reader {
  #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd() {
    return this.#at >= this.#text.length
  }

  skipBlanks() {
    while (this.#text[this.#at] === ' ') this.#at += 1
  }

  skip(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  assertion(): Assertion | undefined {
    this.skipBlanks()
    const start = this.#at
    while (/[A-Za-z0-9.-]/.test(this.#text[this.#at] ?? '')) this.#at += 1
    const name = this.#text.slice(start, this.#at).replace(/^oid\./i, '')
    this.skipBlanks()
    if (name === '' || !this.skip('=')) return undefined
    this.skipBlanks()
    const value = this.skip('#') ? this.#hex() : this.skip('"') ? this.#quoted() : this.#string()
    return value && [attributeOf(name), value.toString('utf8')]
  }

  /** `#04024869`: the value in BER; its octets when it is a string. */
  #hex(): Buffer | undefined {
    const digits = this.#text.slice(this.#at).match(/^(?:[0-9A-Fa-f]{2})+/)?.[0]
    if (!digits) return undefined
    this.#at += digits.length
    this.skipBlanks()
    const bytes = Buffer.from(digits, 'hex')
    const isString = [4, 12, 19, 20, 22, 30].includes(bytes[0] ?? -1) && bytes.length === 2 + (bytes[1] ?? 128)
    return isString ? bytes.subarray(2) : bytes
  }

  /** RFC 2253 servers still write quotes. */
  #quoted(): Buffer | undefined {
    const pieces: Buffer[] = []
    while (!this.skip('"')) {
      const piece = this.isAtEnd ? undefined : this.#sign()
      if (!piece) return undefined
      pieces.push(piece)
    }
    this.skipBlanks()
    return Buffer.concat(pieces)
  }

  #string(): Buffer | undefined {
    const pieces: Buffer[] = []
    let kept = 0
    while (!this.isAtEnd && !',;+'.includes(this.#text.charAt(this.#at))) {
      const isBlank = this.#text[this.#at] === ' '
      const piece = this.#sign()
      if (!piece) return undefined
      pieces.push(piece)
      // blanks at the end belong to the value only when escaped
      if (!isBlank) kept = pieces.length
    }
    return Buffer.concat(pieces.slice(0, kept))
  }

  #sign(): Buffer | undefined {
    if (this.skip('\\')) {
      const hex = this.#text.slice(this.#at, this.#at + 2)
      if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
        this.#at += 2
        return Buffer.from(hex, 'hex')
      }
    }
    const point = this.#text.codePointAt(this.#at)
    if (point === undefined) return undefined
    const sign = String.fromCodePoint(point)
    this.#at += sign.length
    return Buffer.from(sign)
  }
}
