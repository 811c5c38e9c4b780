import { withoutUnseen } from '../../lib/unseen.ts'
import type { FoundGroup } from '../directory.ts'
import { groupAttributes, groupOf } from './schema/group.ts'
import type { Session } from './session.ts'
import { allOf, anyOf, contains } from './syntax/literal.ts'

const searched = ['cn', 'displayName', 'mail', 'description']
/** Milliseconds that counting members may take: groups of 100,000 need 150 each. */
const countingTime = 500

/** Groups whose name, mail or description holds the text, by name; an empty text lists. */
export async function searchGroupsIn(session: Session, q: string, limit: number) {
  // servers pass over what nobody sees (RFC 4518), so a text of it alone would be found everywhere
  const text = withoutUnseen(q.replace(/\s+/g, ' ')).trim()
  const own = session.filters.groups
  const attributes = [...new Set([...searched, ...session.names.mail, ...session.defaults.otherAddresses])]
  const filter = text === '' ? own : allOf(own, anyOf(attributes.map(name => contains(name, text))))
  const found = await firstGroups(session, filter, limit + 1)
  const groups = found.slice(0, limit)
  await countMembers(session, groups)
  groups.sort((a, b) => a.name.localeCompare(b.name))
  return { groups, hasMore: found.length > limit }
}

async function firstGroups(session: Session, filter: Parameters<typeof allOf>[0], most: number) {
  const { names, settings } = session
  const search = { base: settings.baseDn, scope: 'sub' as const, filter, attributes: groupAttributes(names) }
  const groups: FoundGroup[] = []
  for await (const page of session.pages({ ...search, doing: 'Searching groups' }, most)) {
    for (const entry of page) {
      const group = groupOf(entry, names, null)
      if (group && !session.exclusions(entry.key!, group.mail ? [group.mail] : [])) groups.push(group)
    }
    if (groups.length >= most) break
  }
  return groups
}

/** Fills in how many values each group lists; what would take too long, or is worked out by the server, stays open. */
async function countMembers(session: Session, groups: FoundGroup[]) {
  const { member } = session.names
  const until = performance.now() + countingTime
  for (const group of groups) {
    if (performance.now() > until) return
    const entry = await session.read(group.dn, member, 'Counting members')
    const isOpen = !entry || member.some(name => entry.part(name) || (name === 'memberURL' && entry.has(name)))
    if (!isOpen) group.members = member.reduce((sum, name) => sum + entry.bytes(name).length, 0)
  }
}
