/** The server's object classes (RFC 4512 §4.1.1): members are judged by what their class derives from, not its name. */
import { Entry } from '../syntax/entry.ts'
import { equals } from '../syntax/literal.ts'
import type { Connection } from '../wire/connection.ts'
import { searchOnce } from '../wire/pages.ts'
import { RefusedOperation } from '../wire/words.ts'

export interface Classes {
  below(names: readonly string[]): string[]
  isOf(entry: Entry, name: string): boolean
  /** The server listed its classes: then it has no others. */
  isKnown: boolean
}

/** A server that does not show its classes: only names are known. */
export const unknownClasses: Classes = {
  below: names => [...names],
  isOf: (entry, name) => entry.isOf(name),
  isKnown: false
}

const kept = new Map<string, { until: number; classes: Classes }>()
const keptMilliseconds = 10 * 60_000
const maxKept = 20

/** Reads the classes at the entry that the root entry names, once in ten minutes per server. */
export async function readClasses(connection: Connection, server: string, subschema: string): Promise<Classes> {
  const key = `${server} ${subschema}`
  const known = kept.get(key)
  if (known && known.until > Date.now()) return known.classes
  const filter = equals('objectClass', 'subschema')
  const search = { base: subschema, scope: 'base' as const, filter, attributes: ['objectClasses'], isLarge: true }
  const found = await searchOnce(connection, { ...search, doing: 'Reading the object classes' }).catch(error => {
    if (error instanceof RefusedOperation) return []
    throw error
  })
  const definitions = found[0] ? new Entry(found[0]).texts('objectClasses') : []
  const classes = definitions.length > 0 ? classesFrom(definitions) : unknownClasses
  if (kept.size >= maxKept) kept.clear()
  kept.set(key, { until: Date.now() + keptMilliseconds, classes })
  return classes
}

/** From definitions such as `( 2.5.6.6 NAME 'person' SUP top STRUCTURAL … )`. */
export function classesFrom(definitions: readonly string[]): Classes {
  const parents = new Map<string, string[]>()
  const spelled: string[] = []
  for (const definition of definitions) {
    const text = definition.slice(0, 4_000)
    const names = [...listAfter('NAME', text), /^\(\s*([\d.]+)/.exec(text)?.[1] ?? ''].filter(Boolean)
    const sups = listAfter('SUP', text).map(name => name.toLowerCase())
    for (const name of names) parents.set(name.toLowerCase(), [...sups, ...names.map(each => each.toLowerCase())])
    if (names[0] !== undefined) spelled.push(names[0])
  }
  const isA = (name: string, wanted: string, seen = new Set<string>()): boolean => {
    if (name === wanted) return true
    if (seen.has(name)) return false
    seen.add(name)
    return (parents.get(name) ?? []).some(parent => isA(parent, wanted, seen))
  }
  return {
    below: names => {
      const known = names.filter(name => parents.has(name.toLowerCase()))
      const others = spelled.filter(name => known.some(each => isA(name.toLowerCase(), each.toLowerCase())))
      const had = new Set(known.map(name => name.toLowerCase()))
      return [...known, ...others.filter(name => !had.has(name.toLowerCase()))]
    },
    isOf: (entry, name) =>
      entry.isOf(name) || entry.texts('objectClass').some(each => isA(each.toLowerCase(), name.toLowerCase())),
    isKnown: true
  }
}

function listAfter(word: string, text: string): string[] {
  const found = new RegExp(`\\s${word}\\s+(?:\\(([^)]*)\\)|([^\\s)]+))`).exec(text)
  return (found?.[1] ?? found?.[2] ?? '').split(/[\s$']+/).filter(Boolean)
}
