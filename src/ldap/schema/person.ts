import type { DirectoryPerson } from '../directory.ts'
import type { Entry } from '../syntax/entry.ts'
import { idOf } from '../syntax/identifier.ts'
import { addressesOf, chooseAddress } from './address.ts'
import type { Names } from './defaults.ts'
import type { Exclusions } from './exclusions.ts'

const states = ['userAccountControl', 'nsAccountLock', 'loginDisabled', 'pwdAccountLockedTime']

/** Attribute by attribute, so that nothing else is sent. */
export function personAttributes(names: Names): string[] {
  const { id, mail, name, givenName, surname, department, title, manager } = names
  const wanted = [id, ...mail, 'proxyAddresses', ...name, givenName, surname, ...department, title, manager, ...states]
  return [...new Set([...wanted, 'objectClass'])]
}

/** Null when the entry has no stable id: it could not be recognized later. */
export function personOf(
  entry: Entry,
  names: Names,
  exclusions: Exclusions,
  via: string | null
): DirectoryPerson | null {
  const id = idOf(names.id, entry.bytes(names.id))
  if (id === null) return null
  const addresses = addressesOf(entry, names)
  return {
    id,
    dn: entry.dn,
    mail: chooseAddress(addresses, names),
    name: entry.text(...names.name) ?? fullName(entry, names),
    department: entry.text(...names.department),
    title: entry.text(names.title),
    manager: entry.text(names.manager),
    isDisabled: isDisabled(entry),
    isExcluded: exclusions(
      entry.key,
      addresses.map(({ text }) => text)
    ),
    via
  }
}

/** A person without an account: an entry of another mail system in Active Directory. */
export const isContact = (entry: Entry) => entry.isOf('contact')

/** A member of another forest, by security id only: no address to invite. */
export const isForeignPrincipal = (entry: Entry) => entry.isOf('foreignSecurityPrincipal')

const fullName = (entry: Entry, { givenName, surname }: Names) =>
  [entry.text(givenName), entry.text(surname)].filter(Boolean).join(' ') || null

function isDisabled(entry: Entry): boolean {
  const control = Number(entry.text('userAccountControl') ?? 0)
  const isLocked = (name: string) => entry.text(name)?.toLowerCase() === 'true'
  // this time means forever; any other is the pause after wrong passwords, which anyone can cause
  const isLockedForGood = entry.text('pwdAccountLockedTime') === '000001010000Z'
  return (control & 2) !== 0 || isLocked('nsAccountLock') || isLocked('loginDisabled') || isLockedForGood
}
