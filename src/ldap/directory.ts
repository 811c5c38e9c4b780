/** The directory as the rest of Rollcall sees it: a port with one implementation, in ldap/. */

export interface DirectorySettings {
  /** `ldaps://host[:port]` or `ldap://host[:port]`. */
  url: string
  startTls: boolean
  /** Certificates (PEM) to trust instead of the system's. */
  ca: string | null
  bindDn: string
  bindPassword: string
  baseDn: string
  /** LDAP filters (RFC 4515) as an admin wrote them; null: the vendor's default. */
  peopleFilter: string | null
  groupFilter: string | null
  nested: boolean
  allowPlain: boolean
  attributes: Partial<AttributeNames>
  exclusions: string[]
  /** In ASCII form: of several addresses, one in these is chosen. */
  domains: string[]
}

export interface AttributeNames {
  id: string
  mail: string
  name: string
  givenName: string
  surname: string
  department: string
  title: string
  manager: string
  member: string
}

export type Vendor = 'active-directory' | 'openldap' | '389' | 'edirectory' | 'generic'
export type GroupKind = 'distribution-list' | 'security-group' | 'group'

export interface FoundGroup {
  /** The stable id as text (entryUUID, objectGUID as UUID …): it survives renames and moves. */
  id: string
  dn: string
  name: string
  mail: string | null
  description: string | null
  kind: GroupKind
  /** Nested groups count as one; null: more than the server shows at once, or computed. */
  members: number | null
}

export interface DirectoryPerson {
  id: string
  dn: string
  mail: string | null
  name: string | null
  department: string | null
  title: string | null
  manager: string | null
  isDisabled: boolean
  /** Excluded by the settings: do not add, remove, change or deactivate. */
  isExcluded: boolean
  via: string | null
}

/** Values count once: `listed + computed` is `resolved + repeated + nestedGroups` + every other reason below. */
export interface Reading {
  group: FoundGroup
  listed: number
  resolved: number
  /** Of these, people found by a search that the group describes: no value lists them. */
  computed: number
  repeated: number
  /** Pieces in which the server sent its member values: at least one per group. */
  ranges: number
  nestedGroups: number
  cyclesCut: number
  dangling: number
  /** DNs (as keys) that another directory holds: members, nested groups, and places to search. */
  away: string[]
  foreignBase: number
  /** The server refers to another directory, which is never followed. */
  elsewhere: number
  /** Members that cannot sign in anywhere: contacts, bare email addresses, and `principals`. */
  contacts: number
  principals: number
  withoutId: number
  /** User names and addresses that several entries share: none of them is chosen. */
  ambiguous: number
  /** Not people by the filters: computers, and nested groups where nesting is off. */
  others: number
  strategy: string
  /** Why this reading is NOT complete; empty: proved complete. */
  problems: string[]
}

export type ReadOutcome =
  | { outcome: 'read'; reading: Reading }
  | { outcome: 'missing' }
  | { outcome: 'failed'; reason: string }

export type TestStepName = 'resolve' | 'connect' | 'tls' | 'bind' | 'base' | 'vendor' | 'groups' | 'people'

export interface TestStep {
  name: TestStepName
  ok: boolean
  text: string
  advice: string | null
}

export type EntryKey = { id: string } | { address: string }

export type PasswordCheck =
  /** `expired`, `must-change`: it is right, but the directory accepts it nowhere until it is changed there. */
  | { outcome: 'right' | 'expired' | 'must-change'; person: DirectoryPerson }
  | { outcome: 'wrong' }
  | { outcome: 'missing' }
  | { outcome: 'ambiguous' }
  | { outcome: 'unavailable'; reason: string }

export interface FoundGroups {
  groups: FoundGroup[]
  hasMore: boolean
  /** Hits that cannot be synced because they show nothing in the id attribute, `idName`. */
  withoutId?: number
  idName?: string
}

/** `searchGroups` and `find…` throw DirectoryProblem; an aborted signal's reason is thrown as it is. */
export interface Directory {
  /** Stops at the first step that fails; saves nothing, throws nothing. */
  test(signal?: AbortSignal): Promise<TestStep[]>
  /** Literal search over name, email and description, best hits first; an empty `q` lists. */
  searchGroups(q: string, limit: number, signal?: AbortSignal): Promise<FoundGroups>
  findGroups(ids: string[], signal?: AbortSignal): Promise<FoundGroup[]>
  findPeople(ids: string[], signal?: AbortSignal): Promise<DirectoryPerson[]>
  /** Of people that `findPeople` misses, the ids proved deleted; others may have moved or be hidden. */
  findGone(people: { id: string; dn: string | null }[], signal?: AbortSignal): Promise<string[]>
  /** Hands people to `take` in sets, each once. Apply nothing unless the outcome is `read` without `problems`. */
  readGroup(id: string, take: (people: DirectoryPerson[]) => Promise<void>, signal?: AbortSignal): Promise<ReadOutcome>
  /** At most 20 people with this email address, including disabled and excluded ones. */
  findByAddress(address: string, signal?: AbortSignal): Promise<DirectoryPerson[]>
  /** Signs in as the entry, once; refuses disabled and excluded people. Takes the same time whatever the outcome. */
  checkPassword(key: EntryKey, password: string, signal?: AbortSignal): Promise<PasswordCheck>
}

export class DirectoryProblem extends Error {
  override name = 'DirectoryProblem'
  advice: string | null

  constructor(message: string, advice: string | null = null) {
    super(message)
    this.advice = advice
  }
}
