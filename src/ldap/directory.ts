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
  /** Whether members of nested groups are included. */
  nested: boolean
  /** Whether connections to other hosts may be unencrypted. */
  allowPlain: boolean
  /** Attribute names that an admin changed from the vendor's. */
  attributes: Partial<AttributeNames>
  /** DNs (with everything below them) or email addresses to exclude. */
  exclusions: string[]
  /** The organization's domains, in ASCII form: of several addresses, one in these is chosen. */
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
  /** Values that the group lists, nested groups counted as one; null: more than the server shows at once, or computed. */
  members: number | null
}

export interface DirectoryPerson {
  id: string
  dn: string
  mail: string | null
  name: string | null
  department: string | null
  title: string | null
  /** The manager's DN. */
  manager: string | null
  isDisabled: boolean
  /** The settings exclude this person: do not add, remove, change or deactivate. */
  isExcluded: boolean
  /** The nested group through which the person is a member; null: a direct member. */
  via: string | null
}

/**
 * The receipt of one reading. Every value is counted once: `listed + computed` is `resolved + repeated + nestedGroups + cyclesCut +
 * dangling + foreignBase + elsewhere + principals + withoutId + ambiguous + others`.
 */
export interface Reading {
  group: FoundGroup
  /** Member values of the group and of every group below it. */
  listed: number
  /** People handed to `take`. */
  resolved: number
  /** Of these, people found by a search that the group describes: no value lists them. */
  computed: number
  /** Values for a person or group that was already counted: listed twice, or in several groups. */
  repeated: number
  /** Pieces in which the server sent its member values: at least one per group. */
  ranges: number
  nestedGroups: number
  cyclesCut: number
  /** Values without an entry. */
  dangling: number
  /** DNs (as keys) that another directory holds: members, nested groups, and places to search. */
  away: string[]
  /** Values outside the configured base: never read. */
  foreignBase: number
  /** Values for entries that another directory holds: the server refers to it. Never followed. */
  elsewhere: number
  /** Members that cannot sign in anywhere: contacts, bare email addresses, and `principals`. */
  contacts: number
  /** Members of another Active Directory forest, known only by their security id. */
  principals: number
  /** People without a value in the id attribute that an admin chose: they could not be recognized after a rename. */
  withoutId: number
  /** User names and addresses that several entries share: none of them is chosen. */
  ambiguous: number
  /** Entries that are not people by the filters: computers, and nested groups where nesting is off. */
  others: number
  /** How the people were found, for the receipt. */
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

/** Whose password is checked: that of the entry with a stable id, or of the only entry with an email address. */
export type EntryKey = { id: string } | { address: string }

export type PasswordCheck =
  /** `expired`, `must-change`: it is right, but the directory accepts it nowhere until it is changed there. */
  | { outcome: 'right' | 'expired' | 'must-change'; person: DirectoryPerson }
  | { outcome: 'wrong' }
  /** No entry has that id or address. */
  | { outcome: 'missing' }
  /** Several entries that may sign in have the address. */
  | { outcome: 'ambiguous' }
  | { outcome: 'unavailable'; reason: string }

export interface FoundGroups {
  groups: FoundGroup[]
  hasMore: boolean
  /** Hits that cannot be synced because they show nothing in the id attribute, `idName`. */
  withoutId?: number
  idName?: string
}

/** `searchGroups` and everything that begins with `find` throw a DirectoryProblem; an aborted signal's reason is thrown as it is. */
export interface Directory {
  /** Step by step, stops at the first that fails; saves nothing, throws nothing. */
  test(signal?: AbortSignal): Promise<TestStep[]>
  /** Literal search over name, email and description, best hits first; an empty `q` lists. */
  searchGroups(q: string, limit: number, signal?: AbortSignal): Promise<FoundGroups>
  /** The groups that (still) exist among these stable ids. */
  findGroups(ids: string[], signal?: AbortSignal): Promise<FoundGroup[]>
  /** The people that (still) exist among these stable ids, as far as the account may see them. */
  findPeople(ids: string[], signal?: AbortSignal): Promise<DirectoryPerson[]>
  /**
   * Of these people, whom `findPeople` does not find, the ids of those that the directory proves deleted. The others may be in another
   * directory now, or hidden.
   */
  findGone(people: { id: string; dn: string | null }[], signal?: AbortSignal): Promise<string[]>
  /**
   * Reads one group completely. People go to `take` in sets of some hundreds, so that memory stays flat, each person at most once. Apply
   * nothing before the outcome is `read` and its `problems` are empty.
   */
  readGroup(id: string, take: (people: DirectoryPerson[]) => Promise<void>, signal?: AbortSignal): Promise<ReadOutcome>
  /** The people, at most 20, with this email address, including disabled and excluded ones. */
  findByAddress(address: string, signal?: AbortSignal): Promise<DirectoryPerson[]>
  /**
   * Whether this is the entry's password. The entry is looked up as the bind account and asked under its own DN, once. Disabled and
   * excluded people are refused, and not found by address. Takes as long whatever the outcome.
   */
  checkPassword(key: EntryKey, password: string, signal?: AbortSignal): Promise<PasswordCheck>
}

/** Why the directory gave no answer: the message says what happened and to what, the advice what to do next. */
export class DirectoryProblem extends Error {
  override name = 'DirectoryProblem'
  advice: string | null

  constructor(message: string, advice: string | null = null) {
    super(message)
    this.advice = advice
  }
}
