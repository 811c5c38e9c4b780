import type { Filter } from 'ldapts'
import { withoutUnseen } from '../lib/text/unseen.ts'
import type { FoundGroup } from './directory.ts'
import { groupAttributes, groupOf } from './schema/group.ts'
import type { Session } from './session.ts'
import { allOf, anyOf, contains, equals, startsWith } from './syntax/literal.ts'

/** Milliseconds that counting members may take: groups of 100,000 need 150 each. */
const countingTime = 500

/** From the best hits down. Separate questions, so that no limit of the server cuts off the exact one. */
const ways = [equals, startsWith, contains] as const
/** A description comes last: hundreds may share one. */
const called = ['cn', 'displayName', 'mail']

/** Exact hits, then prefixes, then substrings, then descriptions; names before addresses. Empty text lists all. */
export async function searchGroupsIn(session: Session, q: string, limit: number) {
  // servers ignore invisible characters (RFC 4518), so a text of those alone would match everything
  const text = withoutUnseen(q.replace(/\s+/g, ' ')).trim()
  const own = session.filters.groups
  const described = allOf(own, contains('description', text))
  const filters = text === '' ? [own] : [...ways.map(way => matching(session, way, text)), described]
  const found = new Map<string, { group: FoundGroup; way: number }>()
  let hasMore = false
  let withoutId = 0
  for (const [way, filter] of filters.entries()) {
    const hits = await firstGroups(session, filter, limit + 1)
    for (const group of hits.groups) if (!found.has(group.id)) found.set(group.id, { group, way })
    hasMore ||= hits.groups.length > limit
    withoutId = Math.max(withoutId, hits.withoutId)
  }
  const ranked = [...found.values()].map(({ group, way }) => ({ group, way, place: placeOf(group, text) }))
  ranked.sort(
    (one, other) =>
      one.way - other.way || one.place - other.place || one.group.name.localeCompare(other.group.name, 'en')
  )
  const groups = ranked.slice(0, limit).map(({ group }) => group)
  await countMembers(session, groups)
  const hidden = withoutId > 0 ? { withoutId, idName: session.names.id } : {}
  return { groups, hasMore: hasMore || ranked.length > limit, ...hidden }
}

function matching({ names, defaults, filters }: Session, way: (typeof ways)[number], text: string): Filter {
  const attributes = [...new Set([...called, ...names.mail])]
  const others = defaults.otherAddresses.flatMap(name =>
    way === contains ? [contains(name, text)] : [way(name, `smtp:${text}`), way(name, `SMTP:${text}`)]
  )
  return allOf(filters.groups, anyOf([...attributes.map(name => way(name, text)), ...others]))
}

/** 0 in the name, 1 in the address, 2 elsewhere; without case and accents. */
function placeOf({ name, mail }: FoundGroup, text: string): number {
  const wanted = plain(text)
  return plain(name).includes(wanted) ? 0 : mail !== null && plain(mail).includes(wanted) ? 1 : 2
}

const plain = (text: string) =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()

async function firstGroups(session: Session, filter: Filter, max: number) {
  const { names, settings } = session
  const search = { base: settings.baseDn, scope: 'sub' as const, filter, attributes: groupAttributes(names) }
  const groups: FoundGroup[] = []
  let withoutId = 0
  for await (const page of session.pages({ ...search, doing: 'Searching groups' }, max)) {
    for (const entry of page) {
      const group = groupOf(entry, names, null)
      if (!group) withoutId += 1
      else if (!session.exclusions(entry.key, group.mail ? [group.mail] : [])) groups.push(group)
    }
    if (groups.length >= max || withoutId >= max) break
  }
  return { groups, withoutId }
}

/** Adds how many values each group lists, unless that takes too long or the server computes it. */
async function countMembers(session: Session, groups: FoundGroup[]) {
  const { member } = session.names
  const until = performance.now() + countingTime
  for (const group of groups) {
    if (performance.now() > until) return
    const entry = await session.readLarge(group.dn, member, 'Counting members')
    const isOpen = !entry || member.some(name => entry.part(name) || (name === 'memberURL' && entry.has(name)))
    if (!isOpen) group.members = member.reduce((sum, name) => sum + entry.bytes(name).length, 0)
  }
}
