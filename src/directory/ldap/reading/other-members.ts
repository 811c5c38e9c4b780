/** Members that are not named by DN: user names, mail addresses, searches, and Active Directory's primary group. */
import { cutText } from '../../../lib/cut.ts'
import { groupAttributes } from '../schema/group.ts'
import { personAttributes } from '../schema/person.ts'
import type { Session } from '../session.ts'
import { dnKey, isBelow } from '../syntax/dn.ts'
import type { Entry } from '../syntax/entry.ts'
import { parseFilter } from '../syntax/filter.ts'
import { allOf, equals } from '../syntax/literal.ts'
import { type MemberUrl, parseMemberUrl } from '../syntax/member-url.ts'
import { parseAddress } from '../wire/address.ts'
import { RefusedOperation } from '../wire/words.ts'
import type { Gathering } from './gathering.ts'
import { lookUp } from './look-up.ts'

const wantedPeople = (session: Session, doing: string) => ({
  filter: session.filters.people,
  attributes: personAttributes(session.names),
  doing
})

/** memberUid: each name must lead to exactly one person. */
export async function resolveUids(gathering: Gathering, uids: string[], via: string | null): Promise<void> {
  const { session, counts } = gathering
  const waiting = new Set(uids.map(uid => uid.toLowerCase()))
  counts.repeated += uids.length - waiting.size
  const found = new Map<string, Entry[]>()
  const people = wantedPeople(session, 'Looking for people by their user names')
  const wanted = { ...people, attributes: [...people.attributes, 'uid'] }
  for await (const entry of lookUp(session, 'uid', [...waiting], wanted))
    for (const uid of entry.texts('uid').map(each => each.toLowerCase()))
      if (waiting.has(uid)) found.set(uid, [...(found.get(uid) ?? []), entry])
  for (const uid of waiting) {
    const [entry, ...others] = found.get(uid) ?? []
    if (entry && others.length === 0) await gathering.add(entry, via)
    else counts.dangling += 1
  }
  if (uids.length > 0) gathering.strategies.add('user names')
}

/** Lists of addresses. An address without an entry is somebody all the same; one of a group is a nested group. */
export async function resolveMails(gathering: Gathering, mails: string[], via: string | null): Promise<Entry[]> {
  const { session, counts } = gathering
  const waiting = new Map<string, string>()
  for (const mail of mails) {
    const key = mail.trim().toLowerCase()
    if (!mail.includes('@')) counts.dangling += 1
    else if (waiting.has(key)) counts.repeated += 1
    else waiting.set(key, mail)
  }
  const mailOf = session.names.mail[0]!
  const remove = (entry: Entry) => {
    const { length } = entry.texts(mailOf).filter(mail => waiting.delete(mail.trim().toLowerCase()))
    counts.repeated += Math.max(0, length - 1)
    return length > 0
  }
  const people = wantedPeople(session, 'Looking for people by their addresses')
  for await (const entry of lookUp(session, mailOf, [...waiting.values()], people))
    if (remove(entry)) await gathering.add(entry, via)
  const groups: Entry[] = []
  if (session.settings.nested) {
    const wanted = { ...people, filter: session.filters.groups, attributes: groupAttributes(session.names) }
    for await (const entry of lookUp(session, mailOf, [...waiting.values()], wanted))
      if (remove(entry)) groups.push(entry)
  }
  for (const mail of waiting.values()) await gathering.addAddress(mail, via)
  if (mails.length > 0) gathering.strategies.add('mail addresses')
  return groups
}

/** Dynamic groups: the search that the group describes, held to our server and our base. */
export async function resolveUrls(gathering: Gathering, urls: string[], via: string | null): Promise<void> {
  const { session, counts, problems } = gathering
  for (const text of urls) {
    const url = parseMemberUrl(text)
    const place = url && placeOf(session, url)
    if (!url) problems.push(`Its memberURL cannot be read: ${cutText(text, 200)}`)
    else if (!place) countValue(counts, 'foreignBase')
    else await runSearch(gathering, url, place, via).catch(error => void notThere(gathering, error))
  }
  if (urls.length > 0) gathering.strategies.add('the group’s own search')
}

/** A search that is no member by itself, counted as a value of the group where it leads nowhere. */
function countValue(counts: Gathering['counts'], reason: 'foreignBase' | 'elsewhere') {
  counts.listed += 1
  counts[reason] += 1
}

/** The place of a search that another server holds says nothing about the rest of the group. */
function notThere({ counts }: Gathering, error: unknown) {
  if (!(error instanceof RefusedOperation && error.code === 10)) throw error
  countValue(counts, 'elsewhere')
}

/** Where to search: what the address names, narrowed to our base. Undefined: outside, or on another server. */
function placeOf(session: Session, url: MemberUrl): { base: string; scope: MemberUrl['scope'] } | undefined {
  if (url.host !== '' && url.host !== parseAddress(session.settings.url).host) return undefined
  const key = dnKey(url.base)
  if (key === undefined) return undefined
  if (isBelow(key, session.base)) return { base: url.base, scope: url.scope }
  const isAround = url.scope === 'sub' && isBelow(session.base, key)
  return isAround ? { base: session.settings.baseDn, scope: 'sub' } : undefined
}

async function runSearch(
  gathering: Gathering,
  url: MemberUrl,
  place: { base: string; scope: MemberUrl['scope'] },
  via: string | null
) {
  const { session } = gathering
  const wanted = wantedPeople(session, 'Running the search of a dynamic group')
  const filter = allOf(wanted.filter, parseFilter(url.filter))
  for await (const page of session.pages({ ...wanted, ...place, filter }))
    for (const entry of page) await gathering.add(entry, via, true)
}

/** Domain Users and the like list nobody: their people carry the group's number. */
export async function resolvePrimary(gathering: Gathering, token: string, via: string | null): Promise<number> {
  const { session } = gathering
  const wanted = wantedPeople(session, 'Reading the people whose primary group this is')
  const filter = allOf(wanted.filter, equals('primaryGroupID', token))
  const before = gathering.counts.resolved
  for await (const page of session.pages({ ...wanted, base: session.settings.baseDn, scope: 'sub', filter }))
    for (const entry of page) await gathering.add(entry, via, true)
  const count = gathering.counts.resolved - before
  if (count > 0) gathering.strategies.add('primary group')
  return count
}
