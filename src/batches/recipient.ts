import { domainToUnicode } from 'node:url'
import type { verdicts } from '../db/schema.ts'
import { editDistance } from '../lib/addresses/edit-distance.ts'
import { type FaultCode, parseAddress } from '../lib/addresses/email-address.ts'
import { isKeyOf } from '../lib/known.ts'

export type Verdict = (typeof verdicts)[number]

export const verdictWords: Record<Verdict, { name: string; meaning: string }> = {
  malformed: { name: 'Invalid format', meaning: 'not an address' },
  foreign: { name: 'Wrong domain', meaning: 'not one of your domains' },
  duplicate: { name: 'Duplicate', meaning: 'listed more than once' },
  active: { name: 'Already signed up', meaning: 'no email needed' },
  deactivated: { name: 'Deactivated', meaning: 'reactivate first' },
  suppressed: { name: 'Suppressed', meaning: 'bounced or opted out' },
  pending: { name: 'Already invited', meaning: 'invitation still open' },
  invite: { name: 'To invite', meaning: 'will be invited' }
}

export type Reason = FaultCode | 'foreign-domain' | 'near-domain' | 'no-ending'

/** What a line alone decides. Without a verdict it is valid, and the database decides. */
export interface Judged {
  verdict: 'malformed' | 'foreign' | null
  address: string | null
  key: string | null
  reason: Reason | null
  /** The address of the organization that was probably meant. */
  suggestion: string | null
}

export interface OrganizationDomains {
  has(domain: string): boolean
  /** The domain that was probably meant: its ending is missing, or one or two letters are wrong. */
  nearest(domain: string): string | undefined
}

/** `tooLong`: only the beginning of the line is here, so it is never valid. */
export function judgeLine(text: string, organization: OrganizationDomains, tooLong = false): Judged {
  if (tooLong) return malformed('too-long', null)
  const parsed = parseAddress(text)
  if ('fault' in parsed) return malformed(parsed.fault, suggestionFor(parsed.repair, organization))
  const { address, key, local, domain } = parsed
  if (organization.has(domain)) return { verdict: null, address, key, reason: null, suggestion: null }
  const near = organization.nearest(domain)
  const reason = near === undefined ? 'foreign-domain' : lacksEnding(domain, near) ? 'no-ending' : 'near-domain'
  return { verdict: 'foreign', address, key, reason, suggestion: near === undefined ? null : `${local}@${near}` }
}

function malformed(reason: FaultCode, suggestion: string | null): Judged {
  return { verdict: 'malformed', address: null, key: null, reason, suggestion }
}

const lacksEnding = (domain: string, near: string) => !domain.includes('.') && near.startsWith(`${domain}.`)

/** A repair that gives a foreign address is no help. */
function suggestionFor(repair: string | undefined, organization: OrganizationDomains): string | null {
  if (repair === undefined) return null
  const judged = judgeLine(repair, organization)
  return judged.verdict === null ? judged.address : judged.suggestion
}

/** Why a line is malformed or foreign, as a sentence without its full stop. */
export function reasonInWords(line: {
  reason: string | null
  address: string | null
  suggestion: string | null
}): string {
  const { reason, address, suggestion } = line
  if (reason === null) return ''
  if (!isForeign(reason)) return isKeyOf(faultWords, reason) ? faultWords[reason] : reason
  const what = reason === 'no-ending' ? 'The domain is incomplete' : `${domainOf(address)} is not one of your domains`
  return suggestion === null ? what : `${what}. Did you mean ${domainOf(suggestion)}?`
}

const isForeign = (reason: string) => reason === 'foreign-domain' || reason === 'near-domain' || reason === 'no-ending'
const domainOf = (address: string | null) => address?.slice(address.lastIndexOf('@') + 1) ?? ''

const mistakes = 2
/** A million lines may have few foreign domains or a million: remember some, in bounded memory. */
const remembered = 10_000

export function organizationDomains(names: Iterable<string>): OrganizationDomains {
  const own = new Set(names)
  // in readable forms, where one wrong letter is one: ASCII forms of similar names have little in common
  const shown = new Map(Array.from(own, name => [name, domainToUnicode(name)]))
  const known = new Map<string, string | undefined>()
  return {
    has: domain => own.has(domain),
    nearest(domain) {
      if (known.has(domain)) return known.get(domain)
      if (known.size >= remembered) known.clear()
      const found = withEnding(domain, own) ?? closest(domain, shown)
      known.set(domain, found)
      return found
    }
  }
}

function withEnding(domain: string, own: ReadonlySet<string>): string | undefined {
  for (const name of own) if (name.startsWith(`${domain}.`)) return name
  return undefined
}

function closest(domain: string, own: ReadonlyMap<string, string>): string | undefined {
  const typed = domain.includes('xn--') ? domainToUnicode(domain) : domain
  let found: string | undefined
  let least = mistakes
  for (const [name, shown] of own) {
    const distance = editDistance(typed, shown, least)
    if (distance > least || (distance === least && found !== undefined)) continue
    found = name
    least = distance
  }
  return found
}

const faultWords: Record<FaultCode, string> = {
  blank: 'There is no address',
  invisible: 'The address contains a hidden character',
  wide: 'The address contains full-width characters',
  label: 'There is a label before the address',
  mailto: 'There is “mailto:” before the address',
  'no-at': 'There is no @ sign',
  several: 'There is more than one address',
  twice: 'The line has the same address twice',
  markup: 'There is HTML or a link around the address',
  'display-name': 'There is a name or a bracket next to the address',
  'no-closing-bracket': 'The closing bracket is missing',
  'no-opening-bracket': 'The opening bracket is missing',
  'encoded-word': 'The part before the @ sign is encoded',
  comment: 'There is a comment in parentheses',
  table: 'The line has more than an address, like a row of a spreadsheet',
  quotes: 'There are quotation marks',
  'two-ats': 'There are two @ signs',
  'blank-inside': 'The address contains a space',
  'no-local': 'The part before the @ sign is missing',
  'no-domain': 'The part after the @ sign is missing',
  'ip-address': 'The domain is an IP address',
  'two-dots': 'Two dots in a row',
  'trailing-dot': 'There is a dot at the end',
  'edge-dot': 'There is a dot at the start or beside the @ sign',
  'long-local': 'The part before the @ sign is longer than 64 characters',
  'too-long': 'The address is too long',
  'bad-domain': 'The domain is not a valid name',
  'bad-character': 'The address contains a character that is not allowed'
}
