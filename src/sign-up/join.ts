import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { closedStateOf, type InvitationState, stateOf } from '../invitations/invitation.ts'
import { findByFormerLink } from '../invitations/link-store.ts'
import { findNewest } from '../invitations/newest-store.ts'
import { consume, findByTokenHash, noteRequest } from '../invitations/store.ts'
import type { Role } from '../lib/role.ts'
import { hashPassword } from '../lib/secrets/password.ts'
import { inPasswordLine, LineFull } from '../lib/secrets/password-line.ts'
import { hashToken } from '../lib/secrets/token.ts'
import { cutText } from '../lib/text/cut.ts'
import { bindEntry, type EntryRef, findByEntry } from '../people/entry-store.ts'
import { findPerson, lockAddresses, lockPerson } from '../people/store.ts'
import { needsSecondFactor, readRules } from '../sessions/rules-store.ts'
import { hashSessionToken, newSessionToken } from '../sessions/session.ts'
import { deleteSessionByToken, deleteSessionsOf, insertSession } from '../sessions/store.ts'
import { lockTeamsOf } from '../teams/members-store.ts'
import { signUpWith } from './accept.ts'

export interface Joining {
  token: string
  name: string
  /** The Rollcall password. Without it the directory's was checked, and belongs to `entry`. */
  password?: string
  entry?: EntryRef
  userAgent: string | null
  network: string
  over?: AbortSignal
  /** The browser's former session: it ends. */
  oldSession: string | undefined
}

export type JoinOutcome =
  | { outcome: 'joined'; session: string; role: string }
  | { outcome: 'unknown' }
  | { outcome: 'closed'; state: Exclude<InvitationState, 'open'> }
  /** An admin chose another entry meanwhile, or another person has this one. */
  | { outcome: 'entry-changed' }

/** Links in use in this process: a hash costs 80 ms of a core, and only one request can win. */
const inUse = new Map<string, { last: Promise<unknown>; count: number }>()
/** Simultaneous uses of one link; they include a reader who clicks the button again and again. */
const maxAtOnce = 2000

/** Signs the invited person up: the address is the invitation's, and one update uses up the link, once. */
export async function join(db: Database, joining: Joining): Promise<JoinOutcome> {
  const before = inUse.get(joining.token)
  if (before && before.count >= maxAtOnce) throw new LineFull(true, 5)
  const mine = (before?.last ?? Promise.resolve()).then(() => joinNow(db, joining))
  const entry = { last: mine.catch(() => {}), count: (before?.count ?? 0) + 1 }
  inUse.set(joining.token, entry)
  try {
    return await mine
  } finally {
    if (inUse.get(joining.token) === entry) inUse.delete(joining.token)
  }
}

async function joinNow(db: Database, joining: Joining): Promise<JoinOutcome> {
  const tokenHash = hashToken(joining.token)
  const invitation = await findByTokenHash(db, tokenHash)
  if (!invitation) return { outcome: 'unknown' }
  const state = stateOf(invitation)
  if (state !== 'open') return { outcome: 'closed', state }
  const passwordHash = await hashOf(joining)
  return transaction(db, async tx => {
    if (invitation.batchId !== null) await lockTeamsOf(tx, invitation.batchId)
    const isTheirs = await lockWithEntry(tx, invitation.personId, joining.entry)
    if (!isTheirs) return { outcome: 'entry-changed' }
    const used = await consume(tx, tokenHash)
    if (!used) return closedNow(tx, tokenHash)
    if (joining.entry && isTheirs === 'first') await bindEntry(tx, used.personId, joining.entry, 'join')
    const role = await signUpWith(tx, used, { name: joining.name, passwordHash })
    return { outcome: 'joined', session: await freshSession(tx, used.personId, joining, role), role }
  })
}

/** `first`: they had no entry, and this one is free. The address finds it once; from then on its id does. */
async function lockWithEntry(tx: Tx, personId: number, entry: EntryRef | undefined): Promise<'first' | boolean> {
  if (entry && (await findPerson(tx, personId))?.directoryId === null) await lockAddresses(tx)
  const person = await lockPerson(tx, personId)
  if (!entry) return true
  if (person?.directoryId !== null) return person?.directoryId === entry.id
  return (await findByEntry(tx, entry.id)) === undefined && 'first'
}

/** Null: the directory keeps the password. */
async function hashOf({ password, network, over }: Joining): Promise<string | null> {
  if (password === undefined) return null
  return inPasswordLine({ asker: 'sign-up', network, signal: over }, () => hashPassword(password))
}

type Tx = Parameters<Parameters<typeof transaction>[1]>[0]

async function closedNow(tx: Tx, tokenHash: Buffer): Promise<JoinOutcome> {
  const invitation = await findByTokenHash(tx, tokenHash)
  // another link replaced this one during the hash
  if (!invitation) return { outcome: 'closed', state: 'superseded' }
  const state = stateOf(invitation)
  return { outcome: 'closed', state: state === 'open' ? 'expired' : state }
}

async function freshSession(tx: Tx, personId: number, { userAgent, oldSession }: Joining, role: Role): Promise<string> {
  const session = newSessionToken()
  await deleteSessionsOf(tx, personId)
  if (oldSession) await deleteSessionByToken(tx, hashSessionToken(oldSession))
  const needsFactor = needsSecondFactor(await readRules(tx), role)
  const start = { userAgent: userAgent && cutText(userAgent, 300), method: 'join' as const, needsFactor }
  await insertSession(tx, personId, hashSessionToken(session), start)
  return session
}

export type RequestOutcome = { outcome: 'requested' } | { outcome: 'unknown' } | { outcome: 'wrong-state' }

/** Asks for another email when a link no longer works; two requests are one. Stored with the newest invitation. */
export async function requestInvitation(db: Database, token: string): Promise<RequestOutcome> {
  return transaction(db, async tx => {
    const own = await findByTokenHash(tx, hashToken(token))
    const invitation = own ?? (await findByFormerLink(tx, hashToken(token)))
    if (!invitation) return { outcome: 'unknown' }
    const newest = await findNewest(tx, invitation.personId)
    const state = own ? stateOf(own) : 'superseded'
    if (state === 'open' || closedStateOf(state, newest) === 'accepted') return { outcome: 'wrong-state' }
    const isFirst = await noteRequest(tx, newest?.id ?? invitation.id)
    if (isFirst) await recordEvent(tx, { kind: 'invitation-requested', actorId: null, personId: invitation.personId })
    return { outcome: 'requested' }
  })
}
