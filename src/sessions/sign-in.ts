import { createHash } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { parseAddress } from '../lib/email-address.ts'
import { verifyPassword } from '../lib/password.ts'
import { findUserByKey } from '../people/store.ts'
import type { CheckOutside, OutsideAnswer } from './outside.ts'
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
  const isOurs = isRight || !outside || attempt.password === '' || 'fault' in address
  const answer = isOurs ? answerOf(isRight) : await askOutside(outside, user, key, attempt.password)
  if (answer.outcome !== 'right') return answer
  if (!user) return { outcome: 'wrong' }
  await forgetTries(db, keys)
  const token = await startSession(db, user.id, attempt)
  return { outcome: 'signed-in', token, role: user.role }
}

type User = Awaited<ReturnType<typeof findUserByKey>>

const answerOf = (isRight: boolean): OutsideAnswer => ({ outcome: isRight ? 'right' : 'wrong' })

function askOutside(outside: CheckOutside, user: User, addressKey: string, password: string) {
  if (!user) return outside({ addressKey }, password)
  const { email, directoryId, goneFromDirectoryAt } = user
  return outside({ email, addressKey, directoryId, isGone: goneFromDirectoryAt !== null }, password)
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

/** A fresh session for a person, instead of the one that this browser may have had; returns its token. */
export async function startSession(
  db: Database,
  personId: number,
  { userAgent, oldToken }: Pick<Attempt, 'userAgent' | 'oldToken'>
): Promise<string> {
  const token = newSessionToken()
  await transaction(db, async tx => {
    if (oldToken) await deleteSessionByToken(tx, hashSessionToken(oldToken))
    await insertSession(tx, personId, hashSessionToken(token), userAgent?.slice(0, 300) ?? null)
    await recordEvent(tx, { kind: 'signed-in', actorId: personId, personId })
  })
  return token
}
