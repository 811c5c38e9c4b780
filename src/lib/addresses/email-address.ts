/** One strict reading of an email address: a library that reads lists would send email to strangers. */
import { domainToASCII } from 'node:url'
import { trimBlanks } from '../text/blanks.ts'
import { isWide, narrow } from './address-mends.ts'
import { type Fault, faultOf } from './address-repair.ts'

export interface Address {
  /** As it is mailed: local part as typed, in NFC; domain in ASCII form, lower case. */
  address: string
  /** What makes two spellings the same person: the local part in lower case, too. */
  key: string
  local: string
  domain: string
}

export type { Fault, FaultCode } from './address-repair.ts'

const longestText = 1024
const longestLocal = 64
const longestDomain = 253
const longestAddress = 254

const plainLocal = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i
const letters = String.raw`[\p{L}\p{M}\p{N}\p{Emoji_Presentation}!#$%&'*+/=?^_\x60{|}~-]+`
const utf8Local = new RegExp(`^${letters}(?:\\.${letters})*$`, 'u')
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const asciiDomain = new RegExp(`^${label}(?:\\.${label})*$`, 'i')
const unicodeDomain = /^[a-zA-Z0-9.\x80-\u{10ffff}-]+$/u
const blankOrUnseen = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u
/** Dashes and quotation marks of word processors: IDNA would turn them into a name that looks like another. */
const bent = /[^\P{Pd}-]|[\p{Pi}\p{Pf}\u2212\u2043]/u

/** Reads one dot-atom address (RFC 5321, RFC 6531) of at most 254 octets; anything else is a named fault. */
export function parseAddress(text: string): Address | Fault {
  const typed = trimBlanks(text)
  if (typed.length > longestText) return { fault: 'too-long' }
  return mailboxOf(typed) ?? faultOf(typed, repaired => mailboxOf(repaired)?.address)
}

function mailboxOf(typed: string): Address | undefined {
  const at = typed.indexOf('@')
  if (at < 1 || typed.length > longestText) return undefined
  const local = localOf(typed.slice(0, at))
  const domain = domainOf(typed.slice(at + 1))
  if (!local || !domain) return undefined
  const address = `${local.typed}@${domain}`
  if (local.octets + 1 + domain.length > longestAddress) return undefined
  return { address, key: `${local.key}@${domain}`, local: local.typed, domain }
}

function localOf(text: string) {
  // =?utf-8?q?…?= is a dot-atom to one mail program and another mailbox to the next
  if (text.includes('=?')) return undefined
  // a spreadsheet marks a cell as text with a leading apostrophe
  if (text.startsWith("'")) return undefined
  if (plainLocal.test(text)) {
    return text.length > longestLocal ? undefined : { typed: text, key: text.toLowerCase(), octets: text.length }
  }
  const typed = text.normalize('NFC')
  if (!utf8Local.test(typed) || blankOrUnseen.test(typed) || isWide(typed)) return undefined
  const octets = Buffer.byteLength(typed)
  return octets > longestLocal ? undefined : { typed, key: typed.toLowerCase().normalize('NFC'), octets }
}

function domainOf(text: string): string | undefined {
  const domain = asciiDomain.test(text) ? text.toLowerCase() : asciiFormOf(text)
  return domain.length > longestDomain || isNumeric(domain) ? undefined : domain
}

/** domainToASCII drops invisible characters, decodes %41, stops at a slash and reads IP addresses: check both sides. */
function asciiFormOf(text: string): string {
  if (!unicodeDomain.test(text) || blankOrUnseen.test(text) || bent.test(text) || isWide(text)) return ''
  const domain = domainToASCII(text)
  return asciiDomain.test(domain) ? domain : ''
}

function isNumeric(domain: string): boolean {
  let start = domain.length
  while (start > 0 && isDigit(domain.charCodeAt(start - 1))) start -= 1
  return start === 0 || (start < domain.length && domain[start - 1] === '.')
}

const isDigit = (unit: number) => unit >= 0x30 && unit <= 0x39

export function canonicalDomain(text: string): string | undefined {
  const typed = trimBlanks(text)
  return typed.length > longestText ? undefined : domainOf(narrow(typed))
}
