import { first } from '../../lib/ends.ts'
import type { DirectorySettings, Vendor } from '../directory.ts'
import type { Classes } from './classes.ts'

export interface Defaults {
  /** Filters; or object classes, which include the classes below them. */
  people: string | readonly string[]
  groups: string | readonly string[]
  id: string
  mail: string[]
  name: string[]
  department: string[]
  member: string[]
  ownDn: string
  /** Attributes besides mail that people sign in with. */
  logins: string[]
  /** Searched besides mail. A strict server refuses a filter with an attribute that it does not have. */
  otherAddresses: string[]
  /** For a missing entry the server names the nearest one above, unless something on the way is hidden. */
  namesNearest: boolean
}

const personClasses = [
  ...['inetOrgPerson', 'person', 'account', 'posixAccount', 'mailRecipient', 'zimbraAccount', 'univentionPerson'],
  'dominoPerson'
]
const groupClasses = [
  'groupOfNames',
  'groupOfUniqueNames',
  'groupOfURLs',
  'groupOfMembers',
  'posixGroup',
  'nisMailAlias',
  'mailGroup',
  'zimbraDistributionList',
  // a class of many OpenLDAP demonstrations, and those of other suites
  ...['group', 'groupOfEntries', 'univentionGroup', 'dominoGroup', 'ipausergroup', 'dynamicGroup']
]
const memberAttributes = [
  'member',
  'uniqueMember',
  'memberUid',
  'memberURL',
  'memberQueryURL',
  'rfc822MailMember',
  'mgrpRFC822MailMember',
  'zimbraMailForwardingAddress'
]

const common: Defaults = {
  people: personClasses,
  groups: groupClasses,
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
    // its own tool creates people that are not inetOrgPerson
    people: [...personClasses, 'nsPerson'],
    id: 'nsUniqueId',
    otherAddresses: [],
    namesNearest: true
  },
  edirectory: { people: '(objectClass=person)', id: 'guid', name: ['fullName', 'cn'], department: ['ou'] },
  generic: {}
}

const anyOfClasses = (names: readonly string[]) => `(|${names.map(name => `(objectClass=${name})`).join('')})`

const isFilter = (usual: string | readonly string[]): usual is string => typeof usual === 'string'

export function groupFilterFor({ groups }: Defaults, classes: Classes): string {
  return isFilter(groups) ? groups : anyOfClasses(orAsNamed(classes.below(groups), groups))
}

/** Classes of people; if the classes are known, also all with an email address that are not groups. */
export function peopleFilterFor(
  defaults: Defaults,
  mail: readonly string[],
  groupFilter: string,
  classes: Classes
): string {
  const { people, groups } = defaults
  if (isFilter(people)) return people
  const named = anyOfClasses(orAsNamed(classes.below(people), people))
  if (!classes.isKnown || isFilter(groups)) return named
  const known = classes.below(groups)
  const isGroup = `${known.length > 0 ? anyOfClasses(known) : ''}${groupFilter}`
  const hasMail = `(|${mail.map(name => `(${name}=*)`).join('')})`
  return `(|${named}(&${hasMail}(!(|${isGroup}))))`
}

const orAsNamed = (found: string[], names: readonly string[]) => (found.length > 0 ? found : names)

export const defaultsOf = (vendor: Vendor): Defaults => ({ ...common, ...byVendor[vendor] })

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
  domains: ReadonlySet<string>
}

export function namesFor(
  defaults: Defaults,
  { attributes: chosen, domains }: Pick<DirectorySettings, 'attributes' | 'domains'>
): Names {
  const one = (own: string | undefined, usual: string[]) => (own?.trim() ? [own.trim()] : usual)
  return {
    id: first(one(chosen.id, [defaults.id])),
    mail: one(chosen.mail, defaults.mail),
    name: one(chosen.name, defaults.name),
    givenName: first(one(chosen.givenName, ['givenName'])),
    surname: first(one(chosen.surname, ['sn'])),
    department: one(chosen.department, defaults.department),
    title: first(one(chosen.title, ['title'])),
    manager: first(one(chosen.manager, ['manager'])),
    member: one(chosen.member, defaults.member),
    domains: new Set(domains)
  }
}
