/** Entries by DN, uid or address: many in one filter, a few filters at a time. */
import type { Filter } from 'ldapts'
import type { Session } from '../session.ts'
import type { Entry } from '../syntax/entry.ts'
import { allOf, anyOf, equals } from '../syntax/literal.ts'
import { RefusedOperation } from '../wire/words.ts'

/** Values per filter: above 200 servers get slower. */
const perFilter = 50
const filtersInFlight = 4
/** Entries that may share one value: user names and addresses should be unique, and are not always. */
const maxAlike = 50
export const readsInFlight = 32

export interface Wanted {
  filter: Filter
  attributes: string[]
  doing: string
}

/** Whether this server finds entries by their own DN; most do, and it saves one question per member. */
export async function canFilterByDn(session: Session, dn: string): Promise<boolean> {
  const search = { base: session.settings.baseDn, scope: 'sub' as const, attributes: ['1.1'] }
  const filter = equals(session.defaults.ownDn, dn)
  const doing = 'Trying to find an entry by its DN'
  for await (const found of unlessUnknown(session.pages({ ...search, filter, doing }))) return found.length === 1
  return false
}

/** Results for a filter with an attribute that the server does not have; 389 Directory Server says 53 when strict. */
const unknown = [16, 17, 18, 53]

/** Searches by an attribute that the server may not have; a server that objects to its name finds none. */
export async function* unlessUnknown(pages: AsyncGenerator<Entry[]>): AsyncGenerator<Entry[]> {
  try {
    yield* pages
  } catch (error) {
    if (!(error instanceof RefusedOperation && unknown.includes(error.code))) throw error
  }
}

export async function* lookUp(session: Session, attribute: string, values: string[], wanted: Wanted) {
  const lists: string[][] = []
  for (let at = 0; at < values.length; at += perFilter) lists.push(values.slice(at, at + perFilter))
  const ask = (list: string[]) => {
    const filter = allOf(wanted.filter, anyOf(list.map(value => equals(attribute, value))))
    const search = { ...wanted, base: session.settings.baseDn, scope: 'sub' as const, filter }
    return session.search({ ...search, maxEntries: list.length * maxAlike })
  }
  yield* inFlight(filtersInFlight, lists, list => orHalves(list, ask))
}

export async function* readEach(session: Session, dns: string[], wanted: Wanted) {
  const ask = async (dn: string) => {
    const entry = await session.read(dn, wanted.attributes, wanted.doing, wanted.filter).catch(unlessOwnFault)
    return entry ? [entry] : []
  }
  yield* inFlight(readsInFlight, dns, ask)
}

/** Results about the name alone, not about connection, account or search (docs/decisions/0015). */
const ownFaults = [3, 10, 11, 34, 50, 51, 52]

export function unlessOwnFault(error: unknown): undefined {
  if (!(error instanceof RefusedOperation && ownFaults.includes(error.code))) throw error
}

/** Results for a filter with a value that the server cannot read. */
const valueFaults = [21, 34]

/** Splits the values until the one that spoils the filter is alone; that one finds nothing. */
async function orHalves(values: string[], ask: (values: string[]) => Promise<Entry[]>): Promise<Entry[]> {
  try {
    return await ask(values)
  } catch (error) {
    if (!(error instanceof RefusedOperation && valueFaults.includes(error.code))) throw error
    const half = Math.ceil(values.length / 2)
    if (half === values.length) return []
    return [...(await orHalves(values.slice(0, half), ask)), ...(await orHalves(values.slice(half), ask))]
  }
}

export async function* inFlight<T, R>(max: number, items: T[], ask: (item: T) => Promise<R[]>): AsyncGenerator<R> {
  for (let at = 0; at < items.length; at += max) {
    const answers = await Promise.all(items.slice(at, at + max).map(ask))
    for (const answer of answers) yield* answer
  }
}
