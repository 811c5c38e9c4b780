/** What still exists among stable ids. */
import type { Filter } from 'ldapts'
import type { DirectoryPerson, FoundGroup } from '../directory.ts'
import { groupAttributes, groupOf } from './schema/group.ts'
import { personAttributes, personOf } from './schema/person.ts'
import type { Session } from './session.ts'
import type { Entry } from './syntax/entry.ts'
import { idToBytes } from './syntax/identifier.ts'
import { allOf, anyOf, equals } from './syntax/literal.ts'

const perFilter = 50

export async function findGroupsIn(session: Session, ids: string[]): Promise<FoundGroup[]> {
  const { names, filters } = session
  const entries = await findByIds(session, ids, filters.groups, groupAttributes(names), 'Looking for groups by id')
  return entries.flatMap(entry => groupOf(entry, names, null) ?? [])
}

export async function findPeopleIn(session: Session, ids: string[]): Promise<DirectoryPerson[]> {
  const { names, filters, exclusions } = session
  const entries = await findByIds(session, ids, filters.people, personAttributes(names), 'Looking for people by id')
  return entries.flatMap(entry => personOf(entry, names, exclusions, null) ?? [])
}

async function findByIds(session: Session, ids: string[], filter: Filter, attributes: string[], doing: string) {
  const { id } = session.names
  const values = [...new Set(ids)].flatMap(text => idToBytes(id, text) ?? [])
  const found: Entry[] = []
  for (let at = 0; at < values.length; at += perFilter) {
    const own = anyOf(values.slice(at, at + perFilter).map(value => equals(id, value)))
    const search = { base: session.settings.baseDn, scope: 'sub' as const, filter: allOf(filter, own) }
    found.push(...(await session.search({ ...search, attributes, doing })))
  }
  return found
}
