import type { RawEntry } from '../wire/ber.ts'

/** Values that a server showed in part: `member;range=0-1499`. `last` is undefined in the final part. */
export interface Part {
  first: number
  last: number | undefined
  values: string[]
}

/** One entry, read by attribute name whatever the server's spelling; always lists, also of one or none. */
export class Entry {
  dn: string
  #values: Map<string, Buffer[]>

  constructor(raw: RawEntry) {
    this.dn = raw.dn
    this.#values = raw.values
  }

  bytes(name: string): Buffer[] {
    return this.#values.get(name.toLowerCase()) ?? []
  }

  /** Text values as they are, without the NULs that no database takes. */
  texts(name: string): string[] {
    return this.bytes(name).map(textOf)
  }

  /** The first value that says anything, trimmed and cut to what a page can show. */
  text(...names: string[]): string | null {
    for (const name of names)
      for (const value of this.texts(name)) {
        const trimmed = value.trim()
        if (trimmed !== '') return trimmed.slice(0, 500)
      }
    return null
  }

  has(name: string): boolean {
    return this.bytes(name).length > 0
  }

  /** The part of a ranged attribute, when the server did not give all values at once. */
  part(name: string): Part | undefined {
    const start = `${name.toLowerCase()};range=`
    for (const [key, values] of this.#values) {
      if (!key.startsWith(start)) continue
      const range = /^(\d{1,9})-(\d{1,9}|\*)$/.exec(key.slice(start.length))
      if (range) {
        const last = range[2] === '*' ? undefined : Number(range[2])
        return { first: Number(range[1]), last, values: values.map(textOf) }
      }
    }
    return undefined
  }

  isOf(objectClass: string): boolean {
    return this.texts('objectClass').some(value => value.toLowerCase() === objectClass.toLowerCase())
  }
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return text.includes('\0') ? text.replaceAll('\0', '') : text
}
