import { createHash } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { parseAddress } from '../lib/email-address.ts'
import { verifyPassword } from '../lib/password.ts'
import type { EntryRef } from '../people/entry-store.ts'
import { findUserByKey, type PersonRow } from '../people/store.ts'
import { claimEntry, opensWithDirectory } from './claim-entry.ts'
import { type CheckOutside, claimantOf } from './outside.ts'
import { accountDelay, hashSessionToken, networkOf, newSessionToken } from './session.ts'
import { addTry, countTry, deleteSessionByToken, forgetTries, insertSession, lockTries } from './store.ts'

export interface Attempt {
  email: string
  password: string
  ip: string
  userAgent: string | null
  /** The session that this browser already had: it ends, whoever it belonged to. */
  oldToken: string | undefined
}

export type SignInOutcome =
  | { outcome: 'signed-in'; token: string; role: 'member' | 'auditor' | 'admin' | 'owner' }
  | { outcome: 'wrong' }
  /** The directory's password is right, but does not open an account that has a password here before it was linked. */
  | { outcome: 'unlinked'; personId: number; entry: EntryRef }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  /** The directory cannot be asked, and nothing else knew this password. */
  | { outcome: 'unavailable' }

const triesPerMinute = 5

/**
 * Signs a user in with address and password. Five wrong tries a minute for an account from one network; a growing
 * delay, never a lock, for an account that is guessed at from everywhere (ASVS 6.1.1, NIST SP 800-63B-4). Takes as
 * long and says the same whether or not the address belongs to somebody (ASVS 6.3.8). With `outside`, the directory's
 * password does as well as one that was chosen here.
 */
export async function signIn(db: Database, attempt: Attempt, outside?: CheckOutside): Promise<SignInOutcome> {
  const address = parseAddress(attempt.email.trim())
  const key = 'fault' in address ? attempt.email.trim().toLowerCase().slice(0, 254) : address.key
  const keys = triesKeys(key, attempt.ip)
  const wait = await secondsToWait(db, keys)
  if (wait > 0) return { outcome: 'too-many', retryAfterSeconds: wait }
  const user = await findUserByKey(db, key)
  const isRight = await verifyPassword(attempt.password, user?.passwordHash ?? null)
  if (isRight && user) return begin(db, user, keys, attempt)
  if (!outside || attempt.password === '' || 'fault' in address) return { outcome: 'wrong' }
  const answer = await outside(user ? claimantOf(user) : { addressKey: key }, attempt.password)
  if (answer.outcome === 'unavailable' || answer.outcome === 'too-many') return answer
  if (answer.outcome !== 'right' || !user) return { outcome: 'wrong' }
  const { entry } = answer
  if (!opensWithDirectory(user)) return { outcome: 'unlinked', personId: user.id, entry }
  return begin(db, user, keys, attempt, tx => claimEntry(tx, user.id, entry))
}

/** `claim` is asked in the transaction that starts the session: what the directory answered took its time. */
async function begin(
  db: Database,
  user: PersonRow,
  keys: [string, string],
  attempt: Attempt,
  claim?: (tx: Db) => Promise<boolean>
): Promise<SignInOutcome> {
  const token = await startSession(db, user.id, attempt, claim)
  if (token === undefined) return { outcome: 'wrong' }
  await forgetTries(db, keys)
  return { outcome: 'signed-in', token, role: user.role }
}

function triesKeys(key: string, ip: string): [string, string] {
  const account = createHash('sha256').update(key).digest('base64url')
  return [`${account} ${networkOf(ip)}`, account]
}

async function secondsToWait(db: Database, [fromNetwork, account]: [string, string]): Promise<number> {
  const here = await countTry(db, fromNetwork)
  if (here.tries > triesPerMinute) return Math.max(1, here.secondsLeft)
  return transaction(db, async tx => {
    const { failures, secondsSince } = await lockTries(tx, account)
    const wait = Math.ceil(accountDelay(failures) - secondsSince)
    if (wait > 0) return wait
    // only a try that is made counts: whoever keeps knocking must not put the next one off for ever
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
