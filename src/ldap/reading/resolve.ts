/** From the DNs that a group lists to people, in the cheapest way that this server offers. */
import { groupAttributes } from '../schema/group.ts'
import { personAttributes } from '../schema/person.ts'
import type { Session } from '../session.ts'
import type { Entry } from '../syntax/entry.ts'
import { allOf, equals } from '../syntax/literal.ts'
import { RefusedOperation } from '../wire/words.ts'
import type { Gathering } from './gathering.ts'
import { judgeLeftovers } from './leftovers.ts'
import { canFilterByDn, lookUp, readEach, unlessUnknown, type Wanted } from './look-up.ts'
import type { Waiting } from './waiting.ts'

/** From this number of members on, pages of 500 are faster than filters of 50. */
const many = 200
/** Unrelated entries read per wanted member before filters are faster. */
const scanFactor = 3

/** Takes the people among `waiting` and returns the entries of groups; counts the rest for what it is. */
export async function resolve(
  gathering: Gathering,
  groupDn: string,
  waiting: Waiting,
  via: string | null
): Promise<Entry[]> {
  const { session } = gathering
  const people = { filter: session.filters.people, attributes: personAttributes(session.names) }
  const doing = `Reading the people of ${groupDn}`
  if (waiting.size > many) await ifOpen(session, byMemberOf(gathering, groupDn, waiting, via, { ...people, doing }))
  if (waiting.size > many) await ifOpen(session, byScan(gathering, waiting, via, { ...people, doing }))
  if (waiting.size === 0) return []
  gathering.findsByDn ??= await canFilterByDn(session, groupDn)
  const isByFilter = gathering.findsByDn
  await byName(gathering, isByFilter, waiting, { ...people, doing }, entry => gathering.add(entry, via))
  const groups: Entry[] = []
  if (session.settings.nested && waiting.size > 0) {
    const wanted = { filter: session.filters.groups, attributes: groupAttributes(session.names), doing }
    await byName(gathering, isByFilter, waiting, wanted, async entry => void groups.push(entry))
  }
  if (waiting.size > 0) await judgeLeftovers(gathering, waiting.dns(), doing)
  return groups
}

/** 389 Directory Server looks through 5,000 entries per search by default: then another way is used. */
async function ifOpen({ server }: Session, way: Promise<void>) {
  await way.catch(error => {
    if (server.vendor !== '389' || !(error instanceof RefusedOperation) || error.code !== 11) throw error
  })
}

/** One search by the back link. Only listed members count, so an outdated back link adds no one. */
async function byMemberOf(gathering: Gathering, dn: string, waiting: Waiting, via: string | null, wanted: Wanted) {
  const { session } = gathering
  const filter = allOf(wanted.filter, equals('memberOf', dn))
  const search = { ...wanted, base: session.settings.baseDn, scope: 'sub' as const, filter }
  const before = waiting.size
  for await (const page of unlessUnknown(session.pages(search))) {
    for (const entry of page) if (take(waiting, entry)) await gathering.add(entry, via)
    // other servers leave the back link to the writer of the entries: a page without hits means it is not kept
    if (page.length > 0 && waiting.size === before) break
  }
  if (waiting.size < before) gathering.strategies.add('memberOf in pages')
}

/** Scans all people of the directory: fastest when the group is a large share of them. */
async function byScan(gathering: Gathering, waiting: Waiting, via: string | null, wanted: Wanted) {
  const { session } = gathering
  const search = { ...wanted, base: session.settings.baseDn, scope: 'sub' as const }
  let budget = waiting.size * scanFactor
  gathering.strategies.add('everyone, compared here')
  for await (const page of session.pages(search)) {
    for (const entry of page) if (take(waiting, entry)) await gathering.add(entry, via)
    budget -= page.length
    if (budget <= 0 || waiting.size <= many / 4) return
  }
}

async function byName(
  gathering: Gathering,
  isByFilter: boolean,
  waiting: Waiting,
  wanted: Wanted,
  found: (entry: Entry) => Promise<void> | undefined
) {
  const { session, strategies } = gathering
  const dns = waiting.dns()
  const entries = isByFilter ? lookUp(session, session.defaults.ownDn, dns, wanted) : readEach(session, dns, wanted)
  let hits = 0
  for await (const entry of entries) {
    if (!take(waiting, entry)) continue
    hits += 1
    await found(entry)
  }
  if (hits > 0) strategies.add(isByFilter ? 'filters of 50 names' : 'one by one')
}

/** Counts only entries that were looked for, whatever the server sends. */
const take = (waiting: Waiting, entry: Entry) => waiting.take(entry.key)
