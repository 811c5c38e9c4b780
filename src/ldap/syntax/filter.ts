/** Our own RFC 4515 reader: ldapts' encodes `\c3\85` twice, knows no OIDs or options, and accepts open parentheses. */
import { AndFilter, type BerWriter, Filter, NotFilter, OrFilter, PresenceFilter, SearchFilter } from 'ldapts'
import { DirectoryProblem } from '../directory.ts'

export class Assertion extends Filter {
  override type: Filter['type']
  #write: (writer: BerWriter) => void

  constructor(type: Filter['type'], write: (writer: BerWriter) => void) {
    super()
    this.type = type
    this.#write = write
  }

  override writeFilter(writer: BerWriter) {
    this.#write(writer)
  }

  override toString() {
    return 'assertion'
  }
}

const longest = 16_384
const deepest = 20
const attributeName = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*$/

/** Throws a DirectoryProblem that says where the text cannot be read. */
export function parseFilter(text: string): Filter {
  const trimmed = text.trim()
  if (trimmed.length > longest) throw new DirectoryProblem(`The filter has more than ${longest} characters`)
  const parser = new FilterReader(trimmed.startsWith('(') ? trimmed : `(${trimmed})`)
  return parser.whole()
}

class FilterReader {
  #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Filter {
    const filter = this.#filter(0)
    if (this.#at < this.#text.length) throw this.#wrong('something follows the last parenthesis')
    return filter
  }

  #filter(depth: number): Filter {
    if (depth > deepest) throw this.#wrong('it is nested too deeply')
    this.#expect('(')
    const filter = this.#inside(depth)
    this.#expect(')')
    this.#blanks()
    return filter
  }

  #inside(depth: number): Filter {
    this.#blanks()
    if (this.#skip('&')) return new AndFilter({ filters: this.#list(depth) })
    if (this.#skip('|')) return new OrFilter({ filters: this.#list(depth) })
    if (!this.#skip('!')) return this.#comparison()
    this.#blanks()
    const isBare = this.#text[this.#at] !== '('
    return new NotFilter({ filter: isBare ? this.#comparison() : this.#filter(depth + 1) })
  }

  #list(depth: number): Filter[] {
    const filters: Filter[] = []
    this.#blanks()
    while (this.#text[this.#at] === '(') filters.push(this.#filter(depth + 1))
    return filters
  }

  #comparison(): Filter {
    const end = this.#text.slice(this.#at).search(/[()]/)
    const part = this.#text.slice(this.#at, end < 0 ? undefined : this.#at + end)
    const [beginning = '', attribute = '', rules, operator] = /^([^=<>~:]*)(:[^=]*:)?(>=|<=|~=|=)/.exec(part) ?? []
    const type = types.get(operator)
    if (!type) throw this.#wrong('a comparison like (mail=*) is missing')
    const name = attribute.trim()
    const value = part.slice(beginning.length)
    if (rules) {
      if (operator !== '=') throw this.#wrong('a matching rule is followed by :=')
      const filter = this.#extensible(name, rules.slice(1, -1), value)
      this.#at += part.length
      return filter
    }
    if (!attributeName.test(name)) throw this.#wrong(`“${name}” is not an attribute name`)
    const filter = this.#simple(name, type, value)
    this.#at += part.length
    return filter
  }

  #simple(name: string, type: Filter['type'], value: string): Filter {
    const isEquality = type === SearchFilter.equalityMatch
    if (isEquality && value.trim() === '*') return new PresenceFilter({ attribute: name })
    if (isEquality && value.includes('*')) return this.#substrings(name, value.split('*'))
    return comparison(type, name, this.#bytes(value))
  }

  #substrings(name: string, parts: string[]): Filter {
    const bytes = parts.map(part => this.#bytes(part))
    return substrings(name, bytes)
  }

  #extensible(name: string, rules: string, value: string): Filter {
    const words = rules === '' ? [] : rules.split(':')
    const isDn = words[0]?.toLowerCase() === 'dn'
    const rule = words[isDn ? 1 : 0]
    if (words.length > (isDn ? 2 : 1) || (rule !== undefined && !attributeName.test(rule)))
      throw this.#wrong(`“${rules}” is not a matching rule`)
    if (name !== '' && !attributeName.test(name)) throw this.#wrong(`“${name}” is not an attribute name`)
    if (name === '' && !rule) throw this.#wrong('a matching rule needs an attribute or the rule’s name')
    const bytes = this.#bytes(value)
    return new Assertion(SearchFilter.extensibleMatch, writer => {
      if (rule) writer.writeString(rule, 0x81)
      if (name) writer.writeString(name, 0x82)
      writer.writeBuffer(bytes, 0x83)
      if (isDn) writer.writeBoolean(true, 0x84)
    })
  }

  #bytes(text: string): Buffer {
    const pieces = text.split('\\').map((piece, index) => {
      if (index === 0) return Buffer.from(piece)
      if (!/^[0-9A-Fa-f]{2}/.test(piece)) throw this.#wrong('a backslash is followed by two hexadecimal digits')
      return Buffer.concat([Buffer.from(piece.slice(0, 2), 'hex'), Buffer.from(piece.slice(2))])
    })
    return Buffer.concat(pieces)
  }

  #blanks() {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  #skip(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  #expect(sign: string) {
    if (!this.#skip(sign)) throw this.#wrong(`a “${sign}” is missing`)
  }

  #wrong(what: string) {
    const place = `${this.#text.slice(Math.max(0, this.#at - 20), this.#at)}⟨here⟩${this.#text.slice(this.#at, this.#at + 20)}`
    return new DirectoryProblem(`The filter cannot be read: ${what}, at ${place}`, 'Write it like (objectClass=person)')
  }
}

const types = new Map<string | undefined, Filter['type']>([
  ['=', SearchFilter.equalityMatch],
  ['>=', SearchFilter.greaterOrEqual],
  ['<=', SearchFilter.lessOrEqual],
  ['~=', SearchFilter.approxMatch]
])

export const comparison = (type: Filter['type'], name: string, value: Buffer) =>
  new Assertion(type, writer => {
    writer.writeString(name)
    writer.writeBuffer(value, 0x04)
  })

/** `parts` are the texts between the asterisks: the first and last are where the value begins and ends. */
export const substrings = (name: string, parts: Buffer[]) =>
  new Assertion(SearchFilter.substrings, writer => {
    writer.writeString(name)
    writer.startSequence()
    parts.forEach((part, index) => {
      const tag = index === 0 ? 0x80 : index === parts.length - 1 ? 0x82 : 0x81
      if (part.length > 0) writer.writeBuffer(part, tag)
    })
    writer.endSequence()
  })
