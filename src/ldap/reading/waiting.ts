import { TextTable } from '../../lib/text/text-table.ts'

/** DNs of one group that were not resolved yet. Found ones are removed, which frees their memory. */
export class Waiting {
  #places = new TextTable()
  #dns: (string | undefined)[] = []

  get size(): number {
    return this.#places.size
  }

  add(key: string, dn: string): void {
    if (this.#places.add(key, this.#dns.length)) this.#dns.push(dn)
  }

  take(key: string): boolean {
    const place = this.#places.take(key)
    if (place !== undefined) this.#dns[place] = undefined
    return place !== undefined
  }

  dns(): string[] {
    return this.#dns.filter(dn => dn !== undefined)
  }
}
