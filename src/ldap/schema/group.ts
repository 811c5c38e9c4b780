import type { FoundGroup, GroupKind } from '../directory.ts'
import type { Entry } from '../syntax/entry.ts'
import { idOf } from '../syntax/identifier.ts'
import { addressesOf, chooseAddress } from './address.ts'
import type { Names } from './defaults.ts'

/** What is read of a group to show it; members are read separately. */
export const groupAttributes = ({ id, mail }: Names): string[] => [
  ...new Set([id, ...mail, 'cn', 'displayName', 'description', 'groupType', 'proxyAddresses', 'objectClass'])
]

/** Null when the entry has no stable id: such a group cannot be synced. */
export function groupOf(entry: Entry, names: Names, members: number | null): FoundGroup | null {
  const id = idOf(names.id, entry.bytes(names.id))
  if (id === null) return null
  return {
    id,
    dn: entry.dn,
    name: entry.text('cn', 'displayName')?.normalize('NFC') ?? entry.dn,
    mail: chooseAddress(addressesOf(entry, names), names),
    description: entry.text('description')?.normalize('NFC') ?? null,
    kind: kindOf(entry),
    members
  }
}

const securityBit = 0x80000000

function kindOf(entry: Entry): GroupKind {
  const type = entry.text('groupType')
  // Active Directory writes the number signed, copies of it unsigned; a set highest bit grants rights
  if (type !== null) return ((Number(type) | 0) & securityBit) !== 0 ? 'security-group' : 'distribution-list'
  const isList = ['nisMailAlias', 'mailGroup', 'zimbraDistributionList'].some(name => entry.isOf(name))
  return isList ? 'distribution-list' : 'group'
}
