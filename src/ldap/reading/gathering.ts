import { TextTable } from '../../lib/text/text-table.ts'
import type { DirectoryPerson, Reading } from '../directory.ts'
import { isContact, personOf } from '../schema/person.ts'
import type { Session } from '../session.ts'
import type { Entry } from '../syntax/entry.ts'

export type Counts = Omit<Reading, 'group' | 'strategy' | 'problems' | 'away'>

const setSize = 500

export class Gathering {
  readonly session: Session
  readonly counts = nothingCounted()
  readonly strategies = new Set<string>()
  readonly problems: string[] = []
  readonly away: string[] = []
  /** Every member DN so far, by key: one that appears again is known. */
  readonly known = new TextTable()
  readonly visited = new Set<string>()
  /** Whether the server finds entries by their own DN, once it was tried. */
  findsByDn: boolean | undefined
  withMail = 0
  readonly #take: (people: DirectoryPerson[]) => Promise<void>
  readonly #seen = new TextTable()
  readonly #nameless: string[] = []
  #waiting: DirectoryPerson[] = []

  constructor(session: Session, take: (people: DirectoryPerson[]) => Promise<void>) {
    this.session = session
    this.#take = take
  }

  /** Adds a listed or (`isComputed`) found person. Await the promise that it returns when a set is full. */
  add(entry: Entry, via: string | null, isComputed = false): Promise<void> | undefined {
    const { session, counts } = this
    this.known.add(entry.key)
    const person = personOf(entry, session.names, session.exclusions, via)
    if (person) return this.#hand(person, isContact(entry), isComputed)
    this.#nameless.push(entry.dn)
    if (isComputed) counts.computed += 1
    counts.withoutId += 1
    return undefined
  }

  async addAddress(address: string, via: string | null): Promise<void> {
    const mail = address.trim()
    const isExcluded = this.session.exclusions('', [mail])
    const nothing = { name: null, department: null, title: null, manager: null, isDisabled: false }
    await this.#hand({ id: `mail:${mail.toLowerCase()}`, dn: '', mail, ...nothing, isExcluded, via }, true, false)
  }

  async flush(): Promise<void> {
    await this.#handOn()
    const { names, defaults } = this.session
    // every entry has the server's own id, so a missing one means missing rights; one that an admin chose may be absent
    if (this.#nameless.length > 0 && (names.id === defaults.id || this.counts.resolved === 0))
      this.problems.push(
        `${this.#nameless.length} of its people show no ${names.id}, among them ${this.#nameless[0]}: without it Rollcall cannot recognize people after a rename. Choose another id attribute, or let the account read this one`
      )
  }

  #hand(person: DirectoryPerson, isWithoutAccount: boolean, isComputed: boolean): Promise<void> | undefined {
    const { counts } = this
    if (!this.#seen.add(person.id)) {
      if (!isComputed) counts.repeated += 1
      return undefined
    }
    counts.resolved += 1
    if (isComputed) counts.computed += 1
    if (person.mail !== null) this.withMail += 1
    if (isWithoutAccount) counts.contacts += 1
    this.#waiting.push(person)
    return this.#waiting.length >= setSize ? this.#handOn() : undefined
  }

  async #handOn() {
    const people = this.#waiting
    this.#waiting = []
    if (people.length > 0) await this.#take(people)
  }
}

function nothingCounted(): Counts {
  return {
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
  }
}
