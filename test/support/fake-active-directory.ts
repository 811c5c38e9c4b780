/** Entries as Active Directory stores them, for the fake server: GUIDs in bytes, back links, values shown in parts. */
import type { FakeEntry, FakeOptions } from './fake-directory.ts'
import { suffix } from './slapd.ts'

const guidOf = (number: number) => Buffer.from(`ad${number.toString(16).padStart(30, '0')}`, 'hex')

export const userDn = (name: string) => `CN=${name},OU=Staff,${suffix}`
export const groupDn = (name: string) => `CN=${name},OU=Groups,${suffix}`

let lastNumber = 0

export function adUser(name: string, memberOf: string[], more: FakeEntry['attributes'] = {}): FakeEntry {
  const attributes = {
    objectClass: ['top', 'person', 'organizationalPerson', 'user'],
    objectCategory: ['person'],
    objectGUID: [guidOf(++lastNumber)],
    cn: [name],
    sAMAccountName: [name],
    displayName: [`The ${name}`],
    mail: [`${name}@larkfield.example`],
    userAccountControl: ['512'],
    primaryGroupID: ['513'],
    memberOf: memberOf.map(groupDn)
  }
  return { dn: userDn(name), attributes: { ...attributes, ...more } }
}

export function adGroup(name: string, member: string[], more: FakeEntry['attributes'] = {}): FakeEntry {
  const attributes = {
    objectClass: ['top', 'group'],
    objectCategory: ['group'],
    objectGUID: [guidOf(++lastNumber)],
    cn: [name],
    groupType: ['-2147483646'],
    member
  }
  return { dn: groupDn(name), attributes: { ...attributes, ...more } }
}

/** The naming context and the units that contain the entries, so that no person is below a hidden entry. */
export const adUnits: FakeEntry[] = [suffix, `OU=Staff,${suffix}`, `OU=Groups,${suffix}`].map(dn => ({
  dn,
  attributes: { objectClass: ['top', 'organizationalUnit'] }
}))

export const adOptions: Pick<FakeOptions, 'rootDse' | 'valuesAtOnce'> = {
  valuesAtOnce: 500,
  rootDse: {
    supportedCapabilities: ['1.2.840.113556.1.4.800'],
    supportedControl: ['1.2.840.113556.1.4.319'],
    supportedExtension: ['1.3.6.1.4.1.4203.1.11.3', '1.3.6.1.4.1.1466.20037'],
    namingContexts: [suffix]
  }
}
