import { createHash } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { parseAddress } from '../lib/email-address.ts'
import { verifyPassword } from '../lib/password.ts'
import { inPasswordLine, LineFull } from '../lib/password-line.ts'
import type { EntryRef } from '../people/entry-store.ts'
import { findUserByKey, type PersonRow } from '../people/store.ts'
import { claimEntry, opensWithDirectory } from './claim-entry.ts'
import { type CheckOutside, claimantOf } from './outside.ts'
import { accountDelay, hashSessionToken, networkOf, newSessionToken } from './session.ts'
import { addTry, countTry, deleteSessionByToken, forgetTries, insertSession, lockTries, takeBackTry } from './store.ts'

export interface Attempt {
  email: string
  password: string
  ip: string
  userAgent: string | null
  /** The session that this browser already had: it ends, whoever it belonged to. */
  oldToken: string | undefined
  /** Aborted when the request is over. */
  over?: AbortSignal
}

export type SignInOutcome =
  | { outcome: 'signed-in'; token: string; role: 'member' | 'auditor' | 'admin' | 'owner' }
  | { outcome: 'wrong' }
  /** The directory's password is right, but does not open an account that has a password here before it was linked. */
  | { outcome: 'unlinked'; personId: number; entry: EntryRef }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  /** The line before the passwords is full; nothing was checked. */
  | { outcome: 'busy'; full: LineFull }
  /** The directory cannot be asked, and nothing else knew this password. */
  | { outcome: 'unavailable' }

const triesPerMinute = 5
/** Wrong passwords from one network for whatever accounts: a few words tried on everyone are guesses, too. */
const networkTriesPerMinute = 30

/**
 * Signs a user in with address and password. Five wrong tries a minute for an account from one network, thirty for a
 * network; a growing delay, never a lock, for an account that is guessed at from everywhere (ASVS 6.1.1, NIST SP
 * 800-63B-4). Takes as long and says the same whether or not the address belongs to a user (ASVS 6.3.8). With
 * `outside`, the directory's password does as well as one that was chosen here.
 */
export async function signIn(db: Database, attempt: Attempt, outside?: CheckOutside): Promise<SignInOutcome> {
  const address = parseAddress(attempt.email.trim())
  const key = 'fault' in address ? attempt.email.trim().toLowerCase().slice(0, 254) : address.key
  const keys = triesKeys(key, attempt.ip)
  const checked = await checkInLine(db, key, keys, attempt)
  if ('outcome' in checked) return checked
  const { user, isRight } = checked
  if (isRight && user) return begin(db, user, keys, attempt)
  if (!outside || attempt.password === '' || 'fault' in address) return { outcome: 'wrong' }
  const answer = await outside(user ? claimantOf(user) : { addressKey: key }, attempt.password)
  if (answer.outcome === 'unavailable') await takeBackTry(db, keys.network)
  if (answer.outcome === 'unavailable' || answer.outcome === 'too-many') return answer
  if (answer.outcome !== 'right' || !user) return { outcome: 'wrong' }
  const { entry } = answer
  if (!opensWithDirectory(user)) return { outcome: 'unlinked', personId: user.id, entry }
  return begin(db, user, keys, attempt, tx => claimEntry(tx, user.id, entry))
}

type Checked = { user: PersonRow | undefined; isRight: boolean } | Exclude<SignInOutcome, { outcome: 'signed-in' }>

/** The tries are counted when their turn has come: those that are refused have cost no hash. */
async function checkInLine(db: Database, key: string, keys: Keys, attempt: Attempt): Promise<Checked> {
  const turn = { asker: 'stranger' as const, network: networkOf(attempt.ip), signal: attempt.over }
  try {
    return await inPasswordLine(turn, async () => {
      const wait = await secondsToWait(db, keys)
      if (wait > 0) return { outcome: 'too-many' as const, retryAfterSeconds: wait }
      const user = await findUserByKey(db, key)
      return { user, isRight: await verifyPassword(attempt.password, user?.passwordHash ?? null) }
    })
  } catch (error) {
    if (error instanceof LineFull) return { outcome: 'busy', full: error }
    throw error
  }
}

/** `claim` is asked in the transaction that starts the session: what the directory answered took its time. */
async function begin(
  db: Database,
  user: PersonRow,
  keys: Keys,
  attempt: Attempt,
  claim?: (tx: Db) => Promise<boolean>
): Promise<SignInOutcome> {
  const token = await startSession(db, user.id, attempt, claim)
  if (token === undefined) return { outcome: 'wrong' }
  await forgetTries(db, [keys.here, keys.account])
  await takeBackTry(db, keys.network)
  return { outcome: 'signed-in', token, role: user.role }
}

interface Keys {
  /** This network, whatever the account. */
  network: string
  /** This account from this network. */
  here: string
  /** This account from everywhere. */
  account: string
}

function triesKeys(key: string, ip: string): Keys {
  const account = createHash('sha256').update(key).digest('base64url')
  const network = networkOf(ip)
  return { network: `network ${network}`, here: `${account} ${network}`, account }
}

async function secondsToWait(db: Database, { network, here, account }: Keys): Promise<number> {
  const fromNetwork = await countTry(db, network)
  if (fromNetwork.tries > networkTriesPerMinute) return Math.max(1, fromNetwork.secondsLeft)
  const fromHere = await countTry(db, here)
  if (fromHere.tries > triesPerMinute) return Math.max(1, fromHere.secondsLeft)
  return transaction(db, async tx => {
    const { failures, secondsSince } = await lockTries(tx, account)
    const wait = Math.ceil(accountDelay(failures) - secondsSince)
    if (wait > 0) return wait
    // only a try that is made counts, so that tries during the wait do not put the next one off for ever
    await addTry(tx, account)
    return 0
  })
}

/**
 * A fresh session for a person, instead of the one that this browser may have had; returns its token, or undefined when
 * `claim` says no.
 */
export async function startSession(
  db: Database,
  personId: number,
  { userAgent, oldToken }: Pick<Attempt, 'userAgent' | 'oldToken'>,
  claim?: (tx: Db) => Promise<boolean>
): Promise<string | undefined> {
  const token = newSessionToken()
  return transaction(db, async tx => {
    if (claim && !(await claim(tx))) return undefined
    if (oldToken) await deleteSessionByToken(tx, hashSessionToken(oldToken))
    await insertSession(tx, personId, hashSessionToken(token), userAgent?.slice(0, 300) ?? null)
    await recordEvent(tx, { kind: 'signed-in', actorId: personId, personId })
    return token
  })
}
