import { randomBytes } from 'node:crypto'

const gone = -1

/** Numbers by text in 12 bytes each, as keyed 64-bit hashes; collisions are negligible and cannot be provoked. */
export class TextTable {
  #hashes = new Uint32Array(2 * 64)
  /** The number plus one; 0: free, -1: deleted. */
  #numbers = new Int32Array(64)
  #used = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Keeps a number (0 to 2^30) for a text; false when there already is one, which stays. */
  add(text: string, number = 0): boolean {
    if (this.#used * 2 >= this.#numbers.length) this.#grow()
    const slot = this.#find(text)
    if (this.#numbers[slot] !== 0) return false
    this.#put(slot, high, low, number + 1)
    this.#size += 1
    return true
  }

  take(text: string): number | undefined {
    const slot = this.#find(text)
    const found = this.#numbers[slot]!
    if (found === 0) return undefined
    this.#numbers[slot] = gone
    this.#size -= 1
    return found - 1
  }

  /** Where the text is or would be stored. Leaves its hash in `high` and `low`. */
  #find(text: string): number {
    hash(text)
    const mask = this.#numbers.length - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const number = this.#numbers[slot]!
      if (number === 0) return slot
      if (number !== gone && this.#hashes[2 * slot] === high && this.#hashes[2 * slot + 1] === low) return slot
    }
  }

  #put(slot: number, first: number, second: number, number: number) {
    this.#hashes[2 * slot] = first
    this.#hashes[2 * slot + 1] = second
    this.#numbers[slot] = number
    this.#used += 1
  }

  #grow() {
    const [hashes, numbers] = [this.#hashes, this.#numbers]
    const length = this.#size * 4 > numbers.length ? numbers.length * 2 : numbers.length
    this.#hashes = new Uint32Array(2 * length)
    this.#numbers = new Int32Array(length)
    this.#used = 0
    for (let n = 0; n < numbers.length; n += 1) {
      if (numbers[n]! <= 0) continue
      let slot = hashes[2 * n + 1]! & (length - 1)
      while (this.#numbers[slot] !== 0) slot = (slot + 1) & (length - 1)
      this.#put(slot, hashes[2 * n]!, hashes[2 * n + 1]!, numbers[n]!)
    }
  }
}

const seed = randomBytes(8)
const seeds = [seed.readInt32LE(0), seed.readInt32LE(4)] as const
let high = 0
let low = 0

function hash(text: string) {
  let [one, two] = seeds
  for (let n = 0; n < text.length; n += 1) {
    const unit = text.charCodeAt(n)
    one = Math.imul(one ^ unit, 0x9e3779b1)
    one ^= one >>> 15
    two = Math.imul((two << 5) ^ (two >>> 27) ^ unit, 0x5f356495)
  }
  one = mixed(one ^ Math.imul(two, 0x85ebca6b))
  two = mixed(two ^ Math.imul(one, 0xc2b2ae35))
  high = one >>> 0
  low = two >>> 0
}

function mixed(bits: number): number {
  const half = Math.imul(bits ^ (bits >>> 16), 0x7feb352d)
  const mixed = Math.imul(half ^ (half >>> 15), 0x846ca68b)
  return mixed ^ (mixed >>> 16)
}
