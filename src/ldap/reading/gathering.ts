import { TextTable } from '../../lib/text/text-table.ts'
import type { DirectoryPerson, Reading } from '../directory.ts'
import { isContact, personOf } from '../schema/person.ts'
import type { Session } from '../session.ts'
import type { Entry } from '../syntax/entry.ts'

export type Counts = Omit<Reading, 'group' | 'strategy' | 'problems' | 'away'>

/** The people of one reading: handed on in sets, each once, and counted. */
export interface Gathering {
  session: Session
  counts: Counts
  strategies: Set<string>
  problems: string[]
  /** Keys of the DNs that another directory holds. */
  away: string[]
  /** Every member DN so far, by key: one that appears again is known. */
  known: TextTable
  /** Stable ids of the groups on the way. */
  visited: Set<string>
  /** Whether the server finds entries by their own DN, once it was tried. */
  findsByDn: boolean | undefined
  /** People with an address. */
  withMail: number
  /**
   * Takes the person of an entry, which a value lists or (`isComputed`) a search found. Returns a promise when a set is full and being
   * handed on: await it.
   */
  add(entry: Entry, via: string | null, isComputed?: boolean): Promise<void> | undefined
  /** Takes a person who is only an address in a list. */
  addAddress(address: string, via: string | null): Promise<void>
  /** Hands on the rest. */
  flush(): Promise<void>
}

const setSize = 500

export function gather(session: Session, take: (people: DirectoryPerson[]) => Promise<void>): Gathering {
  const seen = new TextTable()
  const nameless: string[] = []
  let waiting: DirectoryPerson[] = []

  function hand(person: DirectoryPerson, isWithoutAccount: boolean, isComputed: boolean): Promise<void> | undefined {
    if (!seen.add(person.id)) {
      if (!isComputed) gathering.counts.repeated += 1
      return undefined
    }
    gathering.counts.resolved += 1
    if (isComputed) gathering.counts.computed += 1
    if (person.mail !== null) gathering.withMail += 1
    if (isWithoutAccount) gathering.counts.contacts += 1
    waiting.push(person)
    return waiting.length >= setSize ? handOn() : undefined
  }

  async function handOn() {
    const people = waiting
    waiting = []
    if (people.length > 0) await take(people)
  }

  const gathering: Gathering = {
    session,
    strategies: new Set(),
    problems: [],
    away: [],
    known: new TextTable(),
    visited: new Set(),
    findsByDn: undefined,
    withMail: 0,
    counts: nothingCounted(),
    add(entry, via, isComputed = false) {
      gathering.known.add(entry.key!)
      const person = personOf(entry, session.names, session.exclusions, via)
      if (person) return hand(person, isContact(entry), isComputed)
      nameless.push(entry.dn)
      if (isComputed) gathering.counts.computed += 1
      gathering.counts.withoutId += 1
      return undefined
    },
    async addAddress(address, via) {
      const mail = address.trim()
      const isExcluded = session.exclusions('', [mail])
      const nothing = { name: null, department: null, title: null, manager: null, isDisabled: false }
      await hand({ id: `mail:${mail.toLowerCase()}`, dn: '', mail, ...nothing, isExcluded, via }, true, false)
    },
    async flush() {
      await handOn()
      // every entry has the server's own id, so a missing one means missing rights; one that an admin chose may be missing
      if (nameless.length > 0 && (session.names.id === session.defaults.id || gathering.counts.resolved === 0))
        gathering.problems.push(
          `${nameless.length} of its people show no ${session.names.id}, among them ${nameless[0]}: without it Rollcall cannot recognize people after a rename. Choose another id attribute, or let the account read this one`
        )
    }
  }
  return gathering
}

const nothingCounted = (): Counts => ({
  listed: 0,
  resolved: 0,
  computed: 0,
  repeated: 0,
  ranges: 0,
  nestedGroups: 0,
  cyclesCut: 0,
  dangling: 0,
  foreignBase: 0,
  elsewhere: 0,
  contacts: 0,
  principals: 0,
  withoutId: 0,
  ambiguous: 0,
  others: 0
})
