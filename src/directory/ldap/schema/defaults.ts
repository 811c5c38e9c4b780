/** Where each vendor keeps what we look for; an admin can change every name and both filters. */
import type { DirectorySettings, Vendor } from '../../directory.ts'

export interface Defaults {
  people: string
  groups: string
  id: string
  mail: string[]
  name: string[]
  department: string[]
  member: string[]
  /** The attribute that finds an entry by its DN. */
  ownDn: string
  /** Attributes that people sign in with, beside mail. */
  logins: string[]
  /** Attributes beside mail that filters may ask for addresses. A strict server refuses a filter that names what it has not. */
  otherAddresses: string[]
  /** Who is told that an entry is not there is told the nearest one above, unless something on the way is hidden. */
  namesNearest: boolean
}

const inetOrgPerson = '(objectClass=inetOrgPerson)'
const groupClasses = [
  'groupOfNames',
  'groupOfUniqueNames',
  'groupOfURLs',
  'groupOfMembers',
  'posixGroup',
  'nisMailAlias',
  'mailGroup',
  'zimbraDistributionList'
]
const classes = (names: string[]) => `(|${names.map(name => `(objectClass=${name})`).join('')})`
const memberAttributes = [
  'member',
  'uniqueMember',
  'memberUid',
  'memberURL',
  'rfc822MailMember',
  'mgrpRFC822MailMember',
  'zimbraMailForwardingAddress'
]

const common: Defaults = {
  people: inetOrgPerson,
  groups: classes(groupClasses),
  id: 'entryUUID',
  mail: ['mail'],
  name: ['displayName', 'cn'],
  department: ['departmentNumber', 'ou'],
  member: memberAttributes,
  ownDn: 'entryDN',
  logins: ['uid'],
  otherAddresses: ['proxyAddresses'],
  namesNearest: false
}

const byVendor: Record<Vendor, Partial<Defaults>> = {
  'active-directory': {
    people: '(|(&(objectCategory=person)(objectClass=user))(objectClass=contact))',
    groups: '(objectCategory=group)',
    id: 'objectGUID',
    department: ['department'],
    member: ['member'],
    ownDn: 'distinguishedName',
    logins: ['userPrincipalName', 'sAMAccountName']
  },
  openldap: { namesNearest: true },
  '389': {
    // its own tool makes people that are no inetOrgPerson
    people: classes(['inetOrgPerson', 'nsPerson']),
    id: 'nsUniqueId',
    groups: classes([...groupClasses, 'ipausergroup']),
    otherAddresses: [],
    namesNearest: true
  },
  edirectory: { people: '(objectClass=person)', id: 'guid', name: ['fullName', 'cn'], department: ['ou'] },
  generic: { people: '(|(objectClass=inetOrgPerson)(objectClass=person))' }
}

export const defaultsOf = (vendor: Vendor): Defaults => ({ ...common, ...byVendor[vendor] })

/** Attribute names to read, the most telling first: what the admin chose, or else what the vendor uses. */
export interface Names {
  id: string
  mail: string[]
  name: string[]
  givenName: string
  surname: string
  department: string[]
  title: string
  manager: string
  member: string[]
  /** The organization's domains: of several addresses, one in these is chosen. */
  domains: ReadonlySet<string>
}

export function namesFor(
  defaults: Defaults,
  { attributes: chosen, domains }: Pick<DirectorySettings, 'attributes' | 'domains'>
): Names {
  const one = (own: string | undefined, usual: string[]) => (own?.trim() ? [own.trim()] : usual)
  return {
    id: one(chosen.id, [defaults.id])[0]!,
    mail: one(chosen.mail, defaults.mail),
    name: one(chosen.name, defaults.name),
    givenName: one(chosen.givenName, ['givenName'])[0]!,
    surname: one(chosen.surname, ['sn'])[0]!,
    department: one(chosen.department, defaults.department),
    title: one(chosen.title, ['title'])[0]!,
    manager: one(chosen.manager, ['manager'])[0]!,
    member: one(chosen.member, defaults.member),
    domains: new Set(domains)
  }
}
