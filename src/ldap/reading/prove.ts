/** An answer is not proof: an account without rights also gets success with no entries. */
import type { Filter } from 'ldapts'
import { DirectoryProblem, type FoundGroup } from '../directory.ts'
import { findGroupsIn } from '../find.ts'
import type { Session } from '../session.ts'
import type { Entry } from '../syntax/entry.ts'
import { idOf } from '../syntax/identifier.ts'
import { allOf, equals, has } from '../syntax/literal.ts'
import type { Gathering } from './gathering.ts'
import { unlessUnknown } from './look-up.ts'
import type { MemberValues } from './member-values.ts'

const sub = (session: Session) => ({ base: session.settings.baseDn, scope: 'sub' as const })

/** Whether any group is visible and found by its id: only then is a missing one deleted. */
export async function proveMissing(session: Session): Promise<void> {
  const { id } = session.names
  const search = { ...sub(session), filter: session.filters.groups, attributes: [id] }
  const any = await firstOf(session.pages({ ...search, doing: 'Looking for any group' }, 1))
  if (!any)
    throw new DirectoryProblem(
      'The directory no longer shows any group',
      'Check the base, the group filter and what the bind account may read'
    )
  const own = idOf(id, any.bytes(id))
  if (own === null || (await findGroupsIn(session, [own])).length === 0)
    throw new DirectoryProblem(
      `The directory no longer finds any group by its ${id}`,
      `Let the bind account read ${id} and search for it, or choose another id attribute`
    )
  await session.checkIdentity()
}

export async function proveEmpty(gathering: Gathering, group: FoundGroup, members: MemberValues): Promise<void> {
  const { session, problems } = gathering
  if (members.isShown) return
  if (members.mustList && session.server.vendor !== '389')
    return void problems.push(
      `${group.name} shows no members, though a group of its kind must have one: let the bind account read them`
    )
  if (await someoneIsMemberOf(session, group))
    return void problems.push(
      `${group.name} shows no members, yet people say that they are in it: let the bind account read the members`
    )
  const doing = 'Looking for any group with members'
  if (!(await someEntryShows(session, session.filters.groups, members.usual, doing)))
    problems.push(
      `${group.name} shows no members, and neither does any other group: let the bind account read the members`
    )
}

async function someoneIsMemberOf(session: Session, group: FoundGroup): Promise<boolean> {
  const filter = allOf(session.filters.people, equals('memberOf', group.dn))
  const search = { ...sub(session), filter, attributes: ['objectClass'], doing: `Looking for people of ${group.name}` }
  return (await firstOf(session.pages(search, 1))) !== undefined
}

/** Whether so many names without entries can be people who left, or may be people that we cannot see. */
export function judgeDangling({ counts, problems }: Gathering): void {
  const { dangling, listed, resolved, others, contacts, elsewhere, ambiguous } = counts
  if (dangling === 0) return
  const advice = 'check what the bind account may read, or remove people who left from the group'
  if (resolved + others + contacts + elsewhere + ambiguous === 0)
    problems.push(`Not one of its ${listed} members can be found: ${advice}`)
  else if (dangling > Math.max(5, listed / 10))
    problems.push(`${dangling} of its ${listed} members cannot be found: ${advice}`)
}

/** A search that finds no one proves something only if people can be found at all. */
export async function provePeopleInSight({ session, problems }: Gathering): Promise<void> {
  const search = { ...sub(session), filter: session.filters.people, attributes: ['objectClass'] }
  if (await firstOf(session.pages({ ...search, doing: 'Looking for any person' }, 1))) return
  problems.push('The directory shows no people at all: check the base, the people filter and what the account may read')
}

/** People without addresses are rare; a directory without any address hides them. */
export async function proveAddresses({ session, counts, withMail, problems }: Gathering): Promise<void> {
  if (counts.resolved === 0 || withMail > 0) return
  const attributes = [...session.names.mail, 'proxyAddresses']
  if (await someEntryShows(session, session.filters.people, attributes, 'Looking for anybody with an address')) return
  problems.push('No one in the directory shows an email address: check what the bind account may read')
}

/** One attribute after the other, because strict servers refuse a filter with one that they do not have. */
async function someEntryShows(session: Session, filter: Filter, attributes: string[], doing: string) {
  for (const name of attributes) {
    const search = { ...sub(session), filter: allOf(filter, has(name)), attributes: [name], doing }
    const entry = await firstOf(unlessUnknown(session.pages(search, 1)))
    if (entry && (entry.has(name) || entry.part(name) !== undefined)) return true
  }
  return false
}

/** Ends the search before the next begins: servers know one at a time. */
export async function firstOf(pages: AsyncGenerator<Entry[]>): Promise<Entry | undefined> {
  for await (const [entry] of pages) if (entry) return entry
  return undefined
}
