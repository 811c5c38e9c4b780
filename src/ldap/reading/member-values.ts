import { DirectoryProblem } from '../directory.ts'
import type { Session } from '../session.ts'
import { withoutUid } from '../syntax/dn.ts'
import type { Entry } from '../syntax/entry.ts'
import { breather } from './breather.ts'

export interface MemberValues {
  dns: string[]
  uids: string[]
  mails: string[]
  urls: string[]
  /** Active Directory: the number by which people name this as their primary group; they are not among the values. */
  primaryGroupToken: string | null
  ranges: number
  /** An attribute was shown, even if only with a placeholder for no one. */
  isShown: boolean
  mustList: boolean
  usual: string[]
}

type Kind = 'dns' | 'uids' | 'mails' | 'urls'

const kinds = new Map<string, Kind>([
  ['member', 'dns'],
  ['uniquemember', 'dns'],
  ['memberuid', 'uids'],
  ['memberurl', 'urls'],
  ['memberqueryurl', 'urls'],
  ['rfc822mailmember', 'mails'],
  ['mgrprfc822mailmember', 'mails'],
  ['zimbramailforwardingaddress', 'mails']
])

/** For an unknown attribute, by what its values look like. */
const guess = (value: string): Kind =>
  value.includes('=') ? (/^ldaps?:\/\//i.test(value) ? 'urls' : 'dns') : value.includes('@') ? 'mails' : 'uids'

export async function readMembers(session: Session, dn: string): Promise<MemberValues> {
  const doing = `Reading the members of ${dn}`
  const attributes = [...new Set([...session.names.member, 'primaryGroupToken', 'objectClass'])]
  const entry = await session.readLarge(dn, attributes, doing)
  if (!entry) throw new DirectoryProblem(`${doing}: it was deleted meanwhile`, 'Try again')
  const found: MemberValues = {
    dns: [],
    uids: [],
    mails: [],
    urls: [],
    primaryGroupToken: entry.text('primaryGroupToken'),
    ranges: 1,
    isShown: false,
    mustList: session.classes.isOf(entry, 'groupOfNames') || session.classes.isOf(entry, 'groupOfUniqueNames'),
    usual: usualAttributes(session, entry)
  }
  for (const name of session.names.member) {
    await take(name, entry.values(name), found)
    await readParts(session, dn, name, entry, found, doing)
  }
  return found
}

const usualPlaces: [objectClass: string, attribute: string][] = [
  ['groupOfNames', 'member'],
  ['groupOfMembers', 'member'],
  ['groupOfEntries', 'member'],
  ['group', 'member'],
  ['groupOfUniqueNames', 'uniqueMember'],
  ['univentionGroup', 'uniqueMember'],
  ['posixGroup', 'memberUid']
]

function usualAttributes({ classes, names: { member: read } }: Session, entry: Entry): string[] {
  const own = usualPlaces.flatMap(([name, attribute]) =>
    classes.isOf(entry, name) && read.includes(attribute) ? [attribute] : []
  )
  return own.length > 0 ? own : read
}

async function take(name: string, values: Iterable<string>, found: MemberValues) {
  const kind = kinds.get(name.toLowerCase())
  const breathe = breather()
  for (const value of values) {
    found.isShown = true
    const others = breathe()
    if (others) await others
    // groups that must have a member are kept empty with an empty name
    if (value.trim() === '') continue
    const list = found[kind ?? guess(value)]
    list.push(list === found.dns ? withoutUid(value) : value)
  }
}

/** Asks for `member;range=1500-*` and so on until the server marks the last part; each must follow the one before. */
async function readParts(session: Session, dn: string, name: string, first: Entry, found: MemberValues, doing: string) {
  let part = first.part(name)
  for (let next = 0; part; ) {
    const size = part.values.length
    if (part.first !== next || size === 0 || (part.last !== undefined && part.last !== next + size - 1))
      throw broken(doing, name, next)
    await take(name, part.values, found)
    if (part.last === undefined) return
    next = part.last + 1
    found.ranges += 1
    const entry = await session.readLarge(dn, [`${name};range=${next}-*`], doing)
    part = entry?.part(name)
    if (!part) throw broken(doing, name, next)
  }
}

const broken = (doing: string, name: string, next: number) =>
  new DirectoryProblem(`${doing}: the values of ${name} from number ${next} on are missing`, 'Try again')
