import type { Filter } from 'ldapts'
import { parseAddress } from '../lib/addresses/email-address.ts'
import type { DirectoryPerson, FoundGroup } from './directory.ts'
import { addressesOf } from './schema/address.ts'
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

const maxOfAddress = 20

export async function findByAddressIn(session: Session, address: string): Promise<DirectoryPerson[]> {
  const { names, filters, exclusions, defaults } = session
  const key = addressKeyOf(address)
  if (key === undefined) return []
  // most servers ignore case; those that do not store aliases in lower case
  const others = defaults.otherAddresses.flatMap(name =>
    ['SMTP', 'smtp'].map(kind => equals(name, `${kind}:${address}`))
  )
  const filter = allOf(filters.people, anyOf([...names.mail.map(name => equals(name, address)), ...others]))
  const search = { base: session.settings.baseDn, scope: 'sub' as const, filter, attributes: personAttributes(names) }
  const found: Entry[] = []
  for await (const page of session.pages({ ...search, doing: 'Looking for an address' })) {
    // servers also match lookalikes (wide letters, invisible ones)
    found.push(...page.filter(entry => addressesOf(entry, names).some(({ text }) => addressKeyOf(text) === key)))
    if (found.length >= maxOfAddress) break
  }
  const people = peopleAmong(session, found).flatMap(entry => personOf(entry, names, exclusions, null) ?? [])
  return people.slice(0, maxOfAddress)
}

/** Of entries that share an address or a user name, the people: a mailbox or device that has it too does not count. */
export function peopleAmong(session: Session, entries: Entry[]): Entry[] {
  const people = entries.length > 1 ? entries.filter(session.isPerson) : entries
  return people.length > 0 ? people : entries
}

function addressKeyOf(text: string): string | undefined {
  const parsed = parseAddress(text)
  return 'fault' in parsed ? undefined : parsed.key
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
