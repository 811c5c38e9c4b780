import { first } from '../../lib/ends.ts'
import { cutText } from '../../lib/text/cut.ts'
import { peopleAmong } from '../find.ts'
import { groupAttributes } from '../schema/group.ts'
import { personAttributes } from '../schema/person.ts'
import type { Session } from '../session.ts'
import { dnKey, isBelow, keyOf } from '../syntax/dn.ts'
import type { Entry } from '../syntax/entry.ts'
import { parseFilter } from '../syntax/filter.ts'
import { allOf, equals } from '../syntax/literal.ts'
import { type MemberUrl, parseMemberUrl } from '../syntax/member-url.ts'
import { parseLdapUrl } from '../wire/ldap-url.ts'
import { RefusedOperation } from '../wire/words.ts'
import type { Gathering } from './gathering.ts'
import { judge } from './leftovers.ts'
import { lookUp, type Wanted } from './look-up.ts'

const wantedPeople = (session: Session, doing: string) => ({
  filter: session.filters.people,
  attributes: personAttributes(session.names),
  doing
})

/** memberUid: each name must lead to exactly one person. */
export async function resolveUids(gathering: Gathering, uids: string[], via: string | null): Promise<void> {
  const { session, counts } = gathering
  const waiting = new Set(uids.map(plain))
  counts.repeated += uids.length - waiting.size
  const people = wantedPeople(session, 'Looking for people by their user names')
  const wanted = { ...people, attributes: [...people.attributes, 'uid'] }
  for await (const [uid, entries] of whoHas(session, 'uid', [...waiting], wanted)) {
    const [entry, another] = peopleAmong(session, entries)
    waiting.delete(uid)
    if (another) counts.ambiguous += 1
    else if (entry) await gathering.add(entry, via)
  }
  counts.dangling += waiting.size
  if (uids.length > 0) gathering.strategies.add('user names')
}

/** As servers compare user names and addresses (RFC 4518): without case and outer blanks. */
const plain = (text: string) => text.trim().replace(/\s+/g, ' ').toLowerCase()

const atOnce = 2_000

async function* whoHas(session: Session, attribute: string, values: string[], wanted: Wanted) {
  for (let at = 0; at < values.length; at += atOnce) {
    const some = values.slice(at, at + atOnce)
    const found = new Map<string, Entry[]>(some.map(value => [value, []]))
    for await (const entry of lookUp(session, attribute, some, wanted))
      for (const value of new Set(entry.texts(attribute).map(plain))) found.get(value)?.push(entry)
    for (const each of found) if (each[1].length > 0) yield each
  }
}

/** An address without an entry, or with several, is still a person. A group's address is a nested group. */
export async function resolveMails(gathering: Gathering, mails: string[], via: string | null): Promise<Entry[]> {
  const { session, counts } = gathering
  const waiting = new Map<string, string>()
  for (const mail of mails) {
    const key = plain(mail)
    if (!mail.includes('@')) counts.dangling += 1
    else if (waiting.has(key)) counts.repeated += 1
    else waiting.set(key, mail)
  }
  const mailOf = first(session.names.mail)
  const people = wantedPeople(session, 'Looking for people by their addresses')
  const shared = new Set<string>()
  for await (const [key, entries] of whoHas(session, mailOf, [...waiting.keys()], people)) {
    const [entry, another] = peopleAmong(session, entries)
    if (another) shared.add(key)
    else waiting.delete(key)
    if (entry && !another) await gathering.add(entry, via)
  }
  const groups: Entry[] = []
  if (session.settings.nested) {
    const wanted = { ...people, filter: session.filters.groups, attributes: groupAttributes(session.names) }
    const unknown = [...waiting.keys()].filter(key => !shared.has(key))
    for await (const [key, [entry, another]] of whoHas(session, mailOf, unknown, wanted)) {
      if (another) counts.ambiguous += 1
      else if (entry) groups.push(entry)
      waiting.delete(key)
    }
  }
  for (const mail of waiting.values()) await gathering.addAddress(mail, via)
  if (mails.length > 0) gathering.strategies.add('mail addresses')
  return groups
}

/** Dynamic groups: the search that the group describes, limited to our server and base. */
export async function resolveUrls(gathering: Gathering, urls: string[], via: string | null): Promise<void> {
  const { session, counts, problems } = gathering
  for (const text of urls) {
    const url = parseMemberUrl(text)
    const place = url && placeOf(session, url)
    if (!url) problems.push(`Its memberURL cannot be read: ${cutText(text, 200)}`)
    else if (!place) countValue(counts, 'foreignBase')
    else await runSearch(gathering, url, place, via).catch(error => notThere(gathering, place.base, error))
  }
  if (urls.length > 0) gathering.strategies.add('the group’s own search')
}

function countValue(counts: Gathering['counts'], reason: 'foreignBase' | 'elsewhere' | 'dangling') {
  counts.listed += 1
  counts[reason] += 1
}

/** A place on another server, or one proved deleted, says nothing about the rest of the group. */
async function notThere({ session, counts, away }: Gathering, base: string, error: unknown) {
  if (!(error instanceof RefusedOperation && [10, 32].includes(error.code))) throw error
  const verdict =
    error.code === 10 ? 'elsewhere' : await judge(session, 'Looking for the base of a dynamic group')(base)
  if (verdict !== 'elsewhere' && verdict !== 'dangling') throw error
  countValue(counts, verdict)
  if (verdict === 'elsewhere') away.push(keyOf(base))
}

/** The URL's base, narrowed to ours. Undefined: outside, or on another server. */
function placeOf(session: Session, url: MemberUrl): { base: string; scope: MemberUrl['scope'] } | undefined {
  if (url.host !== '' && url.host !== parseLdapUrl(session.settings.url).host) return undefined
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

/** Domain Users and the like list no one: their people carry the group's number. */
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
