/** Checks whole messages: ldapts' reader loops forever on lengths beyond the end. Also decodes entries, the bulk. */

export interface RawEntry {
  dn: string
  message: Buffer
  /** Where values begin and end, by name in lower case: most are never read. A Map, so that no name is special. */
  spans: Map<string, number[]>
}

/** A value becomes two numbers here, so limiting bytes alone would not limit memory. */
const maxValues = 1_200_000
const maxAttributes = 1_000

interface Element {
  tag: number
  start: number
  end: number
}

export function headOf(message: Buffer): { id: number; operation: Element } {
  const outer = elementAt(message, 0, message.length)
  const id = elementAt(message, outer.start, outer.end)
  if (id.tag !== 0x02 || id.end === id.start || id.end - id.start > 4) throw malformed()
  return { id: message.readIntBE(id.start, id.end - id.start), operation: elementAt(message, id.end, outer.end) }
}

/** Throws unless every element of the message lies within its parent. */
export function checkNesting(message: Buffer, start = 0, end = message.length, depth = 0): void {
  if (depth > 32) throw malformed()
  for (let at = start; at < end; ) {
    const element = elementAt(message, at, end)
    const isConstructed = (element.tag & 0x20) !== 0
    if (isConstructed) checkNesting(message, element.start, element.end, depth + 1)
    at = element.end
  }
}

export function decodeEntry(message: Buffer, operation: Element): RawEntry {
  const name = elementAt(message, operation.start, operation.end, 0x04)
  const list = elementAt(message, name.end, operation.end, 0x30)
  const spans = new Map<string, number[]>()
  let attributes = 0
  let values = 0
  for (let at = list.start; at < list.end; ) {
    const attribute = elementAt(message, at, list.end, 0x30)
    const type = elementAt(message, attribute.start, attribute.end, 0x04)
    const set = elementAt(message, type.end, attribute.end, 0x31)
    const key = message.toString('latin1', type.start, type.end).toLowerCase()
    const found = spans.get(key) ?? []
    values += addValues(message, set, found)
    if (++attributes > maxAttributes || values > maxValues)
      throw new Error(
        `it sent an entry with more than ${attributes > maxAttributes ? `${maxAttributes} attributes` : `${maxValues} values`}`
      )
    spans.set(key, found)
    at = attribute.end
  }
  return { dn: message.toString('utf8', name.start, name.end), message, spans }
}

/** Adds where each value begins and ends; returns how many. A separate loop, because there may be a million. */
function addValues(message: Buffer, set: Element, found: number[]): number {
  let count = 0
  for (let at = set.start; at < set.end; count += 1) {
    if (at + 2 > set.end || message[at] !== 0x04) throw malformed()
    if (count > maxValues) return count
    let length = message[at + 1]!
    let start = at + 2
    if (length >= 0x80) {
      const digits = length & 0x7f
      if (digits === 0 || digits > 4 || start + digits > set.end) throw malformed()
      length = message.readUIntBE(start, digits)
      start += digits
    }
    at = start + length
    if (at > set.end) throw malformed()
    found.push(start, at)
  }
  return count
}

function elementAt(bytes: Buffer, at: number, end: number, expected?: number): Element {
  if (at + 2 > end) throw malformed()
  const tag = bytes[at]!
  if (expected !== undefined && tag !== expected) throw malformed()
  let length = bytes[at + 1]!
  let start = at + 2
  if (length >= 0x80) {
    const digits = length & 0x7f
    if (digits === 0 || digits > 4 || start + digits > end) throw malformed()
    length = bytes.readUIntBE(start, digits)
    start += digits
  }
  if (start + length > end) throw malformed()
  return { tag, start, end: start + length }
}

const malformed = () => new Error('it sent a malformed message')
