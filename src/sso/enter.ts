/** Whose account is this, and may it come in? Decided in one transaction with what it changes. */
import { recordEvent } from '../audit/store.ts'
import { type Db, transaction } from '../db/client.ts'
import { type InvitationState, stateOf } from '../invitations/invitation.ts'
import { consumeOf, findByTokenHash, findOpenInvitation } from '../invitations/store.ts'
import type { Address } from '../lib/addresses/email-address.ts'
import { readName } from '../lib/name.ts'
import { type AccountRow, findAccount, linkAccount, noteAccountUse } from '../oidc/accounts-store.ts'
import type { Identity } from '../oidc/identity.ts'
import type { OidcDeps, Provider } from '../oidc/settings.ts'
import { isOwnDomain } from '../organization/store.ts'
import { isNameKept } from '../people/person.ts'
import {
  findByAddress,
  insertPerson,
  lockAddresses,
  lockPerson,
  type PersonRow,
  signUpPerson
} from '../people/store.ts'
import type { ProviderSession } from '../sessions/provider-session-store.ts'
import { type Started, startSession } from '../sessions/start-session.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import { signUpWith } from '../sign-up/accept.ts'
import { lockTeamsOf } from '../teams/members-store.ts'
import { applyGroups, lockMapped } from './claims.ts'

export interface Entering {
  identity: Identity
  provider: Provider
  idToken: ProviderSession['idToken']
  /** The hash of the invitation's link that the person came from. */
  invitationHash: Buffer | null
  userAgent: string | null
  oldToken: string | undefined
}

export type Refused =
  /** The provider names no address, or one that cannot be read. */
  | { outcome: 'no-email' | 'unreadable-email' }
  /** Neither the provider nor an owner vouches for the address. */
  | { outcome: 'unverified' }
  | { outcome: 'not-invited' }
  | { outcome: 'deactivated' }
  /** The person with this address signs in with another account of the provider. */
  | { outcome: 'other-account' }
  /** The invitation is for another address or person. */
  | { outcome: 'other-person'; invited: string }
  | { outcome: 'closed'; state: Exclude<InvitationState, 'open'> | 'unknown' }

export type EnterOutcome = ({ outcome: 'entered'; personId: number; isNew: boolean } & Started) | Refused

/** A person known by their account, or found by an address that the provider vouches for; null: not in Rollcall yet. */
type Found =
  | { outcome: 'found'; personId: number; account: AccountRow | undefined }
  | { outcome: 'new'; address: Address }

/** Signs a person in, or up when they are invited. Issuer and subject identify; an address only links, once (S5, S6). */
export async function enter({ db }: OidcDeps, entering: Entering): Promise<EnterOutcome> {
  return transaction(db, async tx => {
    await lockTeams(tx, await find(tx, entering), entering)
    const { issuer, subject } = entering.identity
    // linking or adding decides about an address; the many other sign-ins need not wait
    if (!(await findAccount(tx, issuer, subject))) await lockAddresses(tx)
    const found = await find(tx, entering)
    if (found.outcome === 'found') return letIn(tx, found.personId, found.account, entering)
    if (found.outcome !== 'new') return found
    const { address: email, key: addressKey } = found.address
    return letIn(tx, await insertPerson(tx, { email, addressKey }), undefined, entering)
  })
}

/** What would happen, with nothing changed: for the test of settings. */
export async function foresee(tx: Db, entering: Entering): Promise<Found | Refused> {
  return find(tx, entering)
}

/** Teams come before every person's row, as in a sync. */
async function lockTeams(tx: Db, found: Found | Refused, { provider }: Entering): Promise<void> {
  await lockMapped(tx, provider)
  const open = found.outcome === 'found' ? await findOpenInvitation(tx, found.personId) : undefined
  if (open?.batchId) await lockTeamsOf(tx, open.batchId)
}

async function find(tx: Db, entering: Entering): Promise<Found | Refused> {
  const { identity, provider, invitationHash } = entering
  const account = await findAccount(tx, identity.issuer, identity.subject)
  if (invitationHash) return findInvited(tx, identity, account, invitationHash)
  if (account) return { outcome: 'found', personId: account.personId, account }
  const { address } = identity
  if (address === null || !identity.isVerified) return refusalOfAddress(identity)
  const person = await findByAddress(tx, address.key)
  if (person) return { outcome: 'found', personId: person.id, account }
  return (await mayJoinByDomain(tx, provider, address.key)) ? { outcome: 'new', address } : { outcome: 'not-invited' }
}

/** The person of an invitation's link, if this account or its address is theirs. */
async function findInvited(
  tx: Db,
  identity: Identity,
  account: AccountRow | undefined,
  invitationHash: Buffer
): Promise<Found | Refused> {
  const invitation = await findByTokenHash(tx, invitationHash)
  if (!invitation) return { outcome: 'closed', state: 'unknown' }
  const state = stateOf(invitation)
  if (state !== 'open') return { outcome: 'closed', state }
  const { personId, email: invited } = invitation
  const { address } = identity
  if (!account && (address === null || !identity.isVerified)) return refusalOfAddress(identity)
  const owner = account?.personId ?? (address ? (await findByAddress(tx, address.key))?.id : undefined)
  return owner === personId ? { outcome: 'found', personId, account } : { outcome: 'other-person', invited }
}

function refusalOfAddress({ email, address }: Identity): Refused {
  if (email === null) return { outcome: 'no-email' }
  return { outcome: address === null ? 'unreadable-email' : 'unverified' }
}

async function mayJoinByDomain(tx: Db, { joining }: Provider, addressKey: string): Promise<boolean> {
  return joining === 'domains' && isOwnDomain(tx, addressKey.slice(addressKey.lastIndexOf('@') + 1))
}

async function letIn(
  tx: Db,
  personId: number,
  account: AccountRow | undefined,
  entering: Entering
): Promise<EnterOutcome> {
  const { identity, provider, idToken, userAgent, oldToken } = entering
  const person = await lockPerson(tx, personId)
  if (person?.enrollment === 'deactivated') return { outcome: 'deactivated' }
  const isNew = person?.enrollment !== 'signed-up'
  if (!person || (isNew && !(await signUp(tx, person, entering)))) return { outcome: 'not-invited' }
  if (!(await link(tx, personId, account, identity))) return { outcome: 'other-account' }
  await applyGroups(tx, personId, await lockMapped(tx, provider), entering)
  const { issuer, subject, providerSession } = identity
  const there = { issuer, subject, providerSession, idToken }
  const started = await startSession(tx, personId, {
    userAgent,
    oldToken,
    method: 'provider',
    provider: there,
    isProven: identity.hasSecondFactor
  })
  return started ? { outcome: 'entered', ...started, personId, isNew } : { outcome: 'deactivated' }
}

/** By the open invitation, else by the organization's domain where an owner allows that. False: neither. */
async function signUp(tx: Db, person: PersonRow, { identity, provider }: Entering): Promise<boolean> {
  const own = isNameKept(person) ? null : readName(identity.name ?? '')
  const name = own ?? person.name ?? person.email.slice(0, person.email.lastIndexOf('@'))
  const used = await consumeOf(tx, person.id)
  if (!used && !(await mayJoinByDomain(tx, provider, person.addressKey))) return false
  if (used) await signUpWith(tx, used, { name, passwordHash: null })
  else {
    await signUpPerson(tx, person.id, { name, role: 'member', passwordHash: null })
    await recordEvent(tx, { kind: 'signed-up', actorId: person.id, personId: person.id, details: { by: 'domain' } })
  }
  await deleteSessionsOf(tx, person.id)
  return true
}

/** False when the person has another account at this provider: only an owner may separate that one. */
async function link(tx: Db, personId: number, account: AccountRow | undefined, identity: Identity): Promise<boolean> {
  const { issuer, subject, email } = identity
  if (account) {
    await noteAccountUse(tx, account.id, email)
    return true
  }
  if (!(await linkAccount(tx, { personId, issuer, subject, email }))) return false
  // no session from before the address was proved survives
  await deleteSessionsOf(tx, personId)
  await recordEvent(tx, { kind: 'provider-linked', actorId: personId, personId, details: { issuer, email } })
  return true
}
