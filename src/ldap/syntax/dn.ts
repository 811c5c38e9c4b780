/**
 * Distinguished names (RFC 4514) compared by meaning: `UID=Bob, OU=People` and `uid=bob,ou=people` have one key. A key is itself a DN; no
 * comma in it belongs to a value, so "below a base" means "has it as a suffix".
 */
import { first } from '../../lib/ends.ts'

/** Spellings of the same attribute name. */
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

const longest = 8_192
const plain =
  /^(?:cn|ou|dc|uid|o|c|l|st)=[a-z0-9._@-]+(?: [a-z0-9._@-]+)*(?:,(?:cn|ou|dc|uid|o|c|l|st)=[a-z0-9._@-]+(?: [a-z0-9._@-]+)*)*$/

/** The key of a DN, or undefined when the text is not one. The empty DN has the key ''. */
export function dnKey(dn: string): string | undefined {
  if (dn.length > longest) return undefined
  const lower = dn.toLowerCase()
  // most names are plain ASCII: forty times faster
  if (lower.length <= 1_024 && plain.test(lower)) return lower
  const rdns = parseDn(dn)
  return rdns?.map(keyOfRdn).join(',')
}

/** Whether the DN with this key is `base` or below it (a key, too). */
export function isBelow(key: string, base: string): boolean {
  return base === '' || key === base || key.endsWith(`,${base}`)
}

/** The key of the entry above, or undefined at the top. */
export function parentOf(key: string): string | undefined {
  const comma = key.indexOf(',')
  return comma < 0 ? undefined : key.slice(comma + 1)
}

/** The part of a key that names its entry: `cn=smith` of `cn=smith,ou=people`. */
export const nameOfKey = (key: string) => first(key.split(',', 1))

/** The part of an entry's name with this one value. */
export const nameKey = (attribute: string, value: string) => keyOfRdn([[attribute, value]])

/** The value that names an entry, `Smith` of `cn=Smith,ou=People`, among its values of that attribute. */
export function ownNameAmong(dn: string, attribute: string, values: readonly string[]): string | undefined {
  const [own = []] = (dn.length <= longest && parseDn(dn)) || []
  const name = names.get(attribute.toLowerCase()) ?? attribute.toLowerCase()
  const texts = own.flatMap(([type, text]) => (type === name ? prepare(text) : []))
  return texts.length === 0 ? undefined : values.find(value => texts.includes(prepare(value)))
}

/** NameAndOptionalUID (RFC 4517 §3.3.21), as uniqueMember has it: without the trailing `#'0110'B`. */
export const withoutUid = (value: string) => value.replace(/#'[01]{0,64}'B$/, '')

type Assertion = [name: string, value: string]

/** Relative names from the entry upwards; undefined: not a DN. */
function parseDn(dn: string): Assertion[][] | undefined {
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

function keyOfRdn(rdn: Assertion[]): string {
  return rdn
    .map(([name, value]) => `${name}=${prepare(value)}`)
    .sort()
    .join('+')
}

const prepare = (value: string) =>
  value
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(/[\\,+="<>;#\0]/g, sign => `\\${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)

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
    const name = this.#text
      .slice(start, this.#at)
      .toLowerCase()
      .replace(/^oid\./, '')
    this.skipBlanks()
    if (name === '' || !this.skip('=')) return undefined
    this.skipBlanks()
    const value = this.skip('#') ? this.#hex() : this.skip('"') ? this.#quoted() : this.#string()
    return value && [names.get(name) ?? name, value.toString('utf8')]
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
    while (!this.isAtEnd && !',;+'.includes(this.#text[this.#at]!)) {
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
    if (this.isAtEnd) return undefined
    const sign = String.fromCodePoint(this.#text.codePointAt(this.#at)!)
    this.#at += sign.length
    return Buffer.from(sign)
  }
}
