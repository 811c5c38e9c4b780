/** Who the provider says that a person is. What the library checks is not repeated; what it leaves to us is here. Pure. */
import { type Address, parseAddress } from '../lib/addresses/email-address.ts'
import type { Connection, Provider } from './settings.ts'

export interface Said {
  claims: Claims
  userinfo: Claims
}
export type Claims = Readonly<Record<string, unknown>>

export interface Identity {
  /** As the ID token names it: a setting may differ by a slash. */
  issuer: string
  subject: string
  /** As the provider wrote it; null: it named none. */
  email: string | null
  /** The same, read; null when there is none, or one that cannot be read. */
  address: Address | null
  /** The provider vouches for the address, or an owner decided that it is the authority for its domain. */
  isVerified: boolean
  name: string | null
  groups: Groups
  /** The provider has asked for a second factor (RFC 8176). */
  hasSecondFactor: boolean
  providerSession: string | null
}

/** The values of the groups claim, or why it says nothing; `off`: no claim is configured. */
export type Groups = { values: string[] } | { unknown: 'off' | 'absent' | 'too-many' | 'unreadable' }

/** The ID token is right in form and signature, and yet not for us. `claim` names what is wrong. */
export class WrongToken extends Error {
  readonly claim: string

  constructor(claim: string, message: string) {
    super(message)
    this.claim = claim
  }
}

/** Seconds that a token's date may differ from ours: some providers date tokens five minutes back. */
const maxAgeSeconds = 600

/** The checks that OpenID Connect Core 1.0, 3.1.3.7 leaves to the client. @throws WrongToken */
export function checkToken({ claims }: Said, { clientId }: Connection, nowSeconds = Date.now() / 1000): void {
  const { sub, azp, aud, iat } = claims
  if (typeof sub !== 'string' || sub.trim() === '' || sub.length > 255)
    throw new WrongToken('sub', 'It names no usable subject')
  if (azp !== undefined && azp !== clientId) throw new WrongToken('azp', 'It was issued to another client')
  if ([aud].flat().some(each => each !== clientId)) throw new WrongToken('aud', 'It is also meant for another client')
  if (typeof iat !== 'number' || Math.abs(nowSeconds - iat) > maxAgeSeconds)
    throw new WrongToken('iat', 'It was issued at another time than now')
}

/** The person of a checked answer. @throws WrongToken when ID token and userinfo contradict each other. */
export function identityOf(said: Said, provider: Pick<Provider, 'trustedDomains' | 'groupsClaim'>): Identity {
  const { claims, userinfo } = said
  const { email, isVerified } = emailOf(said)
  const address = email === null ? undefined : parseAddress(email.trim())
  const known = address && !('fault' in address) ? address : undefined
  const isTrusted = known !== undefined && provider.trustedDomains.includes(known.domain)
  return {
    issuer: String(claims.iss),
    subject: String(claims.sub),
    email,
    address: known ?? null,
    isVerified: isVerified || isTrusted,
    name: textOf(claims.name) ?? textOf(userinfo.name),
    groups: provider.groupsClaim === null ? { unknown: 'off' } : groupsOf(said, provider.groupsClaim),
    hasSecondFactor: hasSecondFactor(claims),
    providerSession: textOf(claims.sid)
  }
}

const textOf = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value.trim() : null)

function emailOf({ claims, userinfo }: Said): { email: string | null; isVerified: boolean } {
  for (const { email } of [claims, userinfo])
    if (email !== undefined && typeof email !== 'string') throw new WrongToken('email', 'The address is not text')
  const [first, second] = [textOf(claims.email), textOf(userinfo.email)]
  if (first && second && first.toLowerCase() !== second.toLowerCase())
    throw new WrongToken('email', 'ID token and userinfo name two addresses')
  const email = first ?? second
  // a claim beside another address verifies nothing
  const word = [claims, userinfo].find(
    from => textOf(from.email)?.toLowerCase() === email?.toLowerCase() && from.email_verified !== undefined
  )?.email_verified
  return { email, isVerified: email !== null && (word === true || word === 'true') }
}

/** A claim that is absent or abbreviated says nothing: Entra leaves it out above 200 groups. */
function groupsOf({ claims, userinfo }: Said, name: string): Groups {
  for (const from of [claims, userinfo]) {
    const value = from[name]
    if (value !== undefined) {
      const values = typeof value === 'string' ? [value] : value
      return isTexts(values) ? { values } : { unknown: 'unreadable' }
    }
    if (isAbbreviated(from, name)) return { unknown: 'too-many' }
  }
  return { unknown: 'absent' }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')

function isAbbreviated(from: Claims, name: string): boolean {
  const elsewhere = from._claim_names
  const isElsewhere = typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, name)
  return isElsewhere || from.hasgroups === true || from.hasgroups === 'true'
}

/** Methods of RFC 8176 that are a second factor, and the level that some providers name instead. */
const factors = new Set([
  'mfa',
  'otp',
  'hwk',
  'swk',
  'fpt',
  'face',
  'iris',
  'retina',
  'vbm',
  'sms',
  'tel',
  'phr',
  'phrh'
])

function hasSecondFactor({ amr, acr }: Claims): boolean {
  if (isTexts(amr) && amr.some(each => factors.has(each.toLowerCase()))) return true
  return typeof acr === 'string' && /(^|[/:_-])(mfa|2fa|multi-?factor|phrh?|aal[23])$/i.test(acr)
}
