import { cutText } from '../../lib/text/cut.ts'
import type { RawEntry } from '../wire/ber.ts'
import { dnKey, isBelow, ownNameAmong } from './dn.ts'

/** Values that a server sent in part: `member;range=0-1499`. `last` is undefined in the final part. */
export interface Part {
  first: number
  last: number | undefined
  values: string[]
}

const keys = new Map<string, string>()

/** Names come from the settings: a few, asked for again with every entry. */
function lowerCase(name: string): string {
  const known = keys.get(name)
  if (known !== undefined) return known
  if (keys.size > 1_000) keys.clear()
  const key = name.toLowerCase()
  keys.set(name, key)
  return key
}

export class Entry {
  dn: string
  #message: Buffer
  #spans: Map<string, number[]>
  #key: string | undefined | null = null
  /** By name without options; null: not read yet. */
  #tagged: Map<string, number[]> | null = null

  constructor({ dn, message, spans }: RawEntry) {
    this.dn = dn
    this.#message = message
    this.#spans = spans
  }

  /** @throws when the DN cannot be read; the session refuses such entries. */
  get key(): string {
    if (this.#key === null) this.#key = dnKey(this.dn)
    if (this.#key === undefined) throw new Error(`“${this.dn}” is not a DN`)
    return this.#key
  }

  isBelow(base: string): boolean {
    if (this.#key === null) this.#key = dnKey(this.dn)
    return this.#key !== undefined && isBelow(this.#key, base)
  }

  bytes(name: string): Buffer[] {
    return this.#each(this.#spans.get(lowerCase(name)), (start, end) => this.#message.subarray(start, end))
  }

  /** Text values without NULs, which no database takes; those in a language (`mail;lang-de`) last. */
  texts(name: string): string[] {
    const tagged = this.#taggedSpans(name)
    const plain = this.#textsAt(this.#spans.get(lowerCase(name)))
    return tagged ? plain.concat(this.#textsAt(tagged)) : plain
  }

  *values(name: string): Generator<string> {
    const spans = this.#spans.get(lowerCase(name)) ?? []
    for (let n = 0; n < spans.length; n += 2) yield textOf(this.#message.toString('utf8', spans[n]!, spans[n + 1]!))
  }

  #textsAt(spans: number[] | undefined): string[] {
    return this.#each(spans, (start, end) => textOf(this.#message.toString('utf8', start, end)))
  }

  #each<T>(spans: number[] | undefined, read: (start: number, end: number) => T): T[] {
    const values: T[] = []
    if (spans) for (let n = 0; n < spans.length; n += 2) values.push(read(spans[n]!, spans[n + 1]!))
    return values
  }

  /** One visible value, cut for a page: the one in the DN, else the least, since servers keep no order. */
  text(...names: string[]): string | null {
    for (const name of names) {
      const value = this.#one(name, this.#spans.get(lowerCase(name))) || this.#one(name, this.#taggedSpans(name))
      if (value) return cutText(value, 500)
    }
    return null
  }

  #one(name: string, spans: number[] | undefined): string | undefined {
    const values = this.#textsAt(spans).map(value => value.trim())
    return values.length < 2 ? values[0] : this.#telling(name, values)
  }

  #telling(name: string, values: string[]): string | undefined {
    const said = values.filter(Boolean)
    const least = (one: string | undefined, other: string) => (one === undefined || other < one ? other : one)
    return ownNameAmong(this.dn, name, said) ?? said.reduce<string | undefined>(least, undefined)
  }

  has(name: string): boolean {
    return [this.#spans.get(lowerCase(name)), this.#taggedSpans(name)].some(spans => (spans?.length ?? 0) > 0)
  }

  /** Values with options belong to the attribute without (RFC 4512 §2.5); ranges and other encodings do not. */
  #taggedSpans(name: string): number[] | undefined {
    if (this.#tagged === null) {
      this.#tagged = new Map()
      for (const [key, spans] of this.#spans) {
        const [plain, ...options] = key.includes(';') ? key.split(';') : []
        if (plain === undefined || options.some(option => option === 'binary' || option.startsWith('range='))) continue
        const list = this.#tagged.get(plain) ?? []
        for (const span of spans) list.push(span)
        this.#tagged.set(plain, list)
      }
    }
    return this.#tagged.size === 0 ? undefined : this.#tagged.get(lowerCase(name))
  }

  part(name: string): Part | undefined {
    const start = `${name.toLowerCase()};range=`
    for (const [key, spans] of this.#spans) {
      if (!key.startsWith(start)) continue
      const range = /^(\d{1,9})-(\d{1,9}|\*)$/.exec(key.slice(start.length))
      if (range) {
        const last = range[2] === '*' ? undefined : Number(range[2])
        return { first: Number(range[1]), last, values: this.#textsAt(spans) }
      }
    }
    return undefined
  }

  isOf(objectClass: string): boolean {
    const { length } = objectClass
    const isIt = (start: number, end: number) =>
      end - start === length && this.#message.toString('utf8', start, end).toLowerCase() === objectClass.toLowerCase()
    return this.#each(this.#spans.get('objectclass'), isIt).includes(true)
  }
}

const textOf = (text: string) => (text.includes('\0') ? text.replaceAll('\0', '') : text)
