/** From the DNs that a group lists to people, by the cheapest way that this server offers. */
import { groupAttributes } from '../schema/group.ts'
import { isForeignPrincipal, personAttributes } from '../schema/person.ts'
import { parentOf } from '../syntax/dn.ts'
import type { Entry } from '../syntax/entry.ts'
import { allOf, equals, everything } from '../syntax/literal.ts'
import type { Gathering } from './gathering.ts'
import { canFilterByDn, lookUp, readEach, unlessUnknown, type Wanted } from './look-up.ts'
import type { Waiting } from './waiting.ts'

/** From so many members on, pages of 500 are quicker than filters of 50. */
const many = 200
/** Entries of others that we read past for each member that we look for, before filters are quicker. */
const scanFactor = 3

/** Takes in the people among `waiting`, and returns the entries of groups; the rest is counted for what it is. */
export async function resolve(
  gathering: Gathering,
  groupDn: string,
  waiting: Waiting,
  via: string | null
): Promise<Entry[]> {
  const { session } = gathering
  const people = { filter: session.filters.people, attributes: personAttributes(session.names) }
  const doing = `Reading the people of ${groupDn}`
  if (waiting.size > many) await byMemberOf(gathering, groupDn, waiting, via, { ...people, doing })
  if (waiting.size > many) await byScan(gathering, waiting, via, { ...people, doing })
  if (waiting.size === 0) return []
  gathering.findsByDn ??= await canFilterByDn(session, groupDn)
  const isByFilter = gathering.findsByDn
  await byName(gathering, isByFilter, waiting, { ...people, doing }, entry => gathering.add(entry, via))
  const groups: Entry[] = []
  if (session.settings.nested && waiting.size > 0) {
    const wanted = { filter: session.filters.groups, attributes: groupAttributes(session.names), doing }
    await byName(gathering, isByFilter, waiting, wanted, async entry => void groups.push(entry))
  }
  await countTheRest(gathering, waiting, doing)
  return groups
}

/** The back link: one search, read in pages. Only who is listed counts, so an outdated back link adds nobody. */
async function byMemberOf(gathering: Gathering, dn: string, waiting: Waiting, via: string | null, wanted: Wanted) {
  const { session } = gathering
  const filter = allOf(wanted.filter, equals('memberOf', dn))
  const search = { ...wanted, base: session.settings.baseDn, scope: 'sub' as const, filter }
  const before = waiting.size
  for await (const page of unlessUnknown(session.pages(search))) {
    for (const entry of page) if (take(waiting, entry)) await gathering.add(entry, via)
    // other servers leave the back link to whoever writes the entries: no hit on a whole page is no help
    if (page.length > 0 && waiting.size === before) break
  }
  if (waiting.size < before) gathering.strategies.add('memberOf in pages')
}

/** All people of the directory, joined here: the quickest when the group is a large share of them. */
async function byScan(gathering: Gathering, waiting: Waiting, via: string | null, wanted: Wanted) {
  const { session } = gathering
  const search = { ...wanted, base: session.settings.baseDn, scope: 'sub' as const }
  let budget = waiting.size * scanFactor
  gathering.strategies.add('everybody, compared here')
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

/** Whether this entry was looked for: only then it may count, whatever the server sends. */
const take = (waiting: Waiting, entry: Entry) => waiting.take(entry.key!)

/** Who is neither person nor group: something else, or nothing that we may see. */
async function countTheRest({ session, counts, problems }: Gathering, waiting: Waiting, doing: string) {
  const wanted = { filter: everything, attributes: ['objectClass'], doing }
  for await (const entry of readEach(session, waiting.dns(), wanted)) {
    if (!take(waiting, entry)) continue
    if (isForeignPrincipal(entry)) counts.contacts += 1
    else counts.others += 1
  }
  counts.dangling += waiting.size
  const places = new Map<string, number>()
  for (const key of waiting.keys()) {
    const place = parentOf(key)
    if (place) places.set(place, (places.get(place) ?? 0) + 1)
  }
  for (const [place, count] of [...places].slice(0, 50)) {
    if (await session.read(place, ['objectClass'], doing)) continue
    problems.push(
      `${count} of its members stand below ${place}, which is gone or hidden from the bind account: give it the right to read there, or take these members out of the group`
    )
  }
}
