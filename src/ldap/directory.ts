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
  /** Whether the members of groups in groups count. */
  nested: boolean
  /** Clear text to other hosts than this one. */
  allowPlain: boolean
  /** What an admin changed of the vendor's attribute names. */
  attributes: Partial<AttributeNames>
  /** DNs (with everything below them) or mail addresses that are never touched. */
  exclusions: string[]
  /** The organization's own domains, in ASCII form: of several addresses, one in these is chosen. */
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
  /** An exclusion of the settings names this person: neither add, remove, change nor deactivate. */
  isExcluded: boolean
  /** The nested group through which the person is a member; null: a member of the group itself. */
  via: string | null
}

/**
 * The receipt of one reading. Every value is counted once: `listed + computed` is `resolved + repeated + nestedGroups +
 * cyclesCut + dangling + foreignBase + elsewhere + principals + withoutId + ambiguous + others`.
 */
export interface Reading {
  group: FoundGroup
  /** Member values of the group and of every group below it. */
  listed: number
  /** People handed to `take`. */
  resolved: number
  /** Of these, people whom a search found that the group describes: no value lists them. */
  computed: number
  /** Values for a person or group that was counted already: listed twice, or in several groups. */
  repeated: number
  /** Pieces in which the server showed its member values: at least one a group. */
  ranges: number
  nestedGroups: number
  cyclesCut: number
  /** Values that name nobody. */
  dangling: number
  /** DNs (as keys) that another directory holds: of members, of nested groups, and of places that were to be searched. */
  away: string[]
  /** Values outside the configured base: never read. */
  foreignBase: number
  /** Values for entries that another directory holds: the server refers to it. Never followed. */
  elsewhere: number
  /** Who cannot sign in anywhere: people who are contacts or bare mail addresses, and `principals`. */
  contacts: number
  /** Members of another Active Directory forest, known by their security id alone. */
  principals: number
  /** People without a value in the id attribute that an admin chose: they cannot be told apart after a rename. */
  withoutId: number
  /** User names and addresses that several entries share: none of them is chosen. */
  ambiguous: number
  /** Entries that are no people by the filters: computers, and nested groups where nesting is off. */
  others: number
  /** How the people were found, for the receipt. */
  strategy: string
  /** Why this reading is NOT complete, in words; empty: proved complete. */
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

/** Whose password it would be: the entry with a stable id, or the one entry that has a mail address. */
export type EntryKey = { id: string } | { address: string }

export type PasswordCheck =
  /** `expired`, `must-change`: it is right, and the directory lets nobody in with it until it is changed there. */
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
  /** Hits that cannot be kept because they show nothing in the id attribute, `idName`. */
  withoutId?: number
  idName?: string
}

/** `searchGroups` and everything that begins with `find` throw a DirectoryProblem; an aborted signal's reason is thrown as it is. */
export interface Directory {
  /** Step by step, stops at the first that fails; saves nothing, throws nothing. */
  test(signal?: AbortSignal): Promise<TestStep[]>
  /** Literal search over name, mail and description, the best hits first; an empty `q` lists. */
  searchGroups(q: string, limit: number, signal?: AbortSignal): Promise<FoundGroups>
  /** The groups that (still) exist among these stable ids. */
  findGroups(ids: string[], signal?: AbortSignal): Promise<FoundGroup[]>
  /** The people that (still) exist among these stable ids, as far as the account may see them. */
  findPeople(ids: string[], signal?: AbortSignal): Promise<DirectoryPerson[]>
  /**
   * Of these people, whom `findPeople` does not find, the ids of those whom the directory proves gone. The others may be
   * in another directory now, or hidden.
   */
  findGone(people: { id: string; dn: string | null }[], signal?: AbortSignal): Promise<string[]>
  /**
   * Reads one group whole. People go to `take` in sets of some hundreds, so that memory stays flat, each person at most
   * once. Nothing may be applied before the outcome is `read` and its `problems` are empty.
   */
  readGroup(id: string, take: (people: DirectoryPerson[]) => Promise<void>, signal?: AbortSignal): Promise<ReadOutcome>
  /** The people, at most 20, who have this mail address; the disabled and the excluded too. */
  findByAddress(address: string, signal?: AbortSignal): Promise<DirectoryPerson[]>
  /**
   * Is this the entry's password? The entry is looked up as the bind account and asked under its own DN, once. The disabled
   * and the excluded are refused, and do not count where an address is looked up. Takes as long whatever the outcome.
   */
  checkPassword(key: EntryKey, password: string, signal?: AbortSignal): Promise<PasswordCheck>
}

/** Why the directory gave no answer: what happened and to what; the advice says what to do next. */
export class DirectoryProblem extends Error {
  override name = 'DirectoryProblem'
  advice: string | null

  constructor(message: string, advice: string | null = null) {
    super(message)
    this.advice = advice
  }
}
