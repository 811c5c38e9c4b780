import { createHash } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { isShortPassword, verifyPassword } from '../lib/secrets/password.ts'
import { inPasswordLine, LineFull } from '../lib/secrets/password-line.ts'
import { cutText } from '../lib/text/cut.ts'
import type { EntryRef } from '../people/entry-store.ts'
import { findUserByKey, lockPerson, type PersonRow } from '../people/store.ts'
import { type CheckDirectoryPassword, claimantOf } from '../sessions/directory-sign-in.ts'
import { notifyOwners } from '../sessions/notify.ts'
import { readRules } from '../sessions/rules-store.ts'
import { accountDelay, networkOf } from '../sessions/session.ts'
import { type Started, startSession } from '../sessions/start-session.ts'
import { countInRow, countTry, forgetTries, type SignInMethod, takeBackTry } from '../sessions/store.ts'
import { claimEntry, opensWithDirectory } from './claim-entry.ts'

export interface Attempt {
  email: string
  password: string
  ip: string
  userAgent: string | null
  oldToken: string | undefined
  over?: AbortSignal
  marks: readonly { personId: number; nonce: string }[]
}

export type SignInOutcome =
  | ({ outcome: 'signed-in'; personId: number } & Started)
  | { outcome: 'wrong' }
  /** The directory's password is right, but has not been linked to this account with a Rollcall password. */
  | { outcome: 'unlinked'; personId: number; entry: EntryRef }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  | { outcome: 'busy'; full: LineFull }
  /** The directory does not answer, and Rollcall does not know this password. */
  | { outcome: 'unavailable'; reason?: string }
  | { outcome: 'expired' }
  | { outcome: 'must-change' }
  /** The Rollcall password is right, but only owners may sign in with one. */
  | { outcome: 'provider-only' }

const triesPerMinute = 5
/** For any accounts: a few words tried on everyone are guesses, too. */
const networkTriesPerMinute = 30

/** Limits guesses without locks (ASVS 6.1.1, NIST SP 800-63B-4). Unknown addresses take as long (ASVS 6.3.8). */
export async function signIn(
  db: Database,
  attempt: Attempt,
  checkDirectory?: CheckDirectoryPassword
): Promise<SignInOutcome> {
  const address = parseAddress(attempt.email.trim())
  const key = 'fault' in address ? cutText(attempt.email.trim().toLowerCase(), 254) : address.key
  const checked = await checkInLine(db, key, attempt)
  if ('outcome' in checked) return checked
  const { user, isRight, keys } = checked
  if (isRight && user) {
    const isLimited = (await readRules(db)).passwords === 'owners'
    if (user.role !== 'owner' && isLimited) return { outcome: 'provider-only' }
    const claim = async (tx: Db) => (await isUnchanged(tx, user)) && (!isLimited || breakGlass(tx, user.id))
    return begin(db, user, keys, attempt, { method: 'password', claim })
  }
  if (!checkDirectory || attempt.password === '' || 'fault' in address) return { outcome: 'wrong' }
  const answer = await checkDirectory(user ? claimantOf(user) : { addressKey: key }, attempt.password, keys.share)
  if (answer.outcome === 'unavailable' && keys.network) await takeBackTry(db, keys.network)
  if (answer.outcome === 'unavailable' || answer.outcome === 'too-many') return answer
  if (answer.outcome === 'expired' || answer.outcome === 'must-change') return answer
  if (answer.outcome !== 'right' || !user) return { outcome: 'wrong' }
  const { entry } = answer
  if (!opensWithDirectory(user)) return { outcome: 'unlinked', personId: user.id, entry }
  return begin(db, user, keys, attempt, { method: 'directory', claim: tx => claimEntry(tx, user.id, entry) })
}

type Checked =
  | { user: PersonRow | undefined; isRight: boolean; keys: Keys }
  | Exclude<SignInOutcome, { outcome: 'signed-in' }>

/** Attempts are counted when their turn has come: refused ones have cost no hash. */
async function checkInLine(db: Database, key: string, attempt: Attempt): Promise<Checked> {
  const asker = attempt.marks.length > 0 ? ('known' as const) : ('stranger' as const)
  const turn = { asker, network: networkOf(attempt.ip), signal: attempt.over }
  try {
    return await inPasswordLine(turn, async () => {
      const user = await findUserByKey(db, key)
      const mark = attempt.marks.find(({ personId }) => personId === user?.id)
      const keys = mark ? keysOfBrowser(mark.nonce) : keysOfStranger(key, attempt.ip)
      const wait = await secondsToWait(db, keys)
      if (wait > 0) return { outcome: 'too-many' as const, retryAfterSeconds: wait }
      return { user, isRight: await verifyPassword(attempt.password, user?.passwordHash ?? null), keys }
    })
  } catch (error) {
    if (error instanceof LineFull) return { outcome: 'busy', full: error }
    throw error
  }
}

/** An owner's password still works where everyone else signs in at the provider; all owners hear of it. */
async function breakGlass(tx: Db, ownerId: number): Promise<true> {
  await recordEvent(tx, { kind: 'owner-password-used', actorId: ownerId, personId: ownerId })
  await notifyOwners(tx, 'owner-password')
  return true
}

async function isUnchanged(tx: Db, user: PersonRow): Promise<boolean> {
  return (await lockPerson(tx, user.id))?.passwordHash === user.passwordHash
}

/** `claim` is checked in the session's transaction: hashing, or asking the directory, took a while. */
async function begin(
  db: Database,
  user: PersonRow,
  keys: Keys,
  attempt: Attempt,
  { method, claim }: { method: SignInMethod; claim: (tx: Db) => Promise<boolean> }
): Promise<SignInOutcome> {
  const { userAgent, oldToken, password } = attempt
  const isShort = method === 'password' && isShortPassword(password)
  const started = await transaction(db, async tx =>
    (await claim(tx)) ? startSession(tx, user.id, { userAgent, oldToken, method, isShort }) : undefined
  )
  if (!started) return { outcome: 'wrong' }
  await forgetTries(db, [keys.here, keys.account])
  if (keys.network) await takeBackTry(db, keys.network)
  return { outcome: 'signed-in', personId: user.id, ...started }
}

interface Keys {
  network: string | null
  here: string
  account: string
  /** Whose share of the directory's attempts they use; undefined: that of strangers. */
  share: string | undefined
}

/** Under which an account's wrong passwords are counted. */
export const accountKeyOf = (addressKey: string) => createHash('sha256').update(addressKey).digest('base64url')

function keysOfStranger(key: string, ip: string): Keys {
  const account = accountKeyOf(key)
  const network = networkOf(ip)
  return { network: `network ${network}`, here: `${account} ${network}`, account, share: undefined }
}

function keysOfBrowser(nonce: string): Keys {
  const browser = `browser ${nonce}`
  return { network: null, here: `${browser} minute`, account: browser, share: browser }
}

async function secondsToWait(db: Database, { network, here, account }: Keys): Promise<number> {
  const fromNetwork = network ? await countTry(db, network) : undefined
  if (fromNetwork && fromNetwork.tries > networkTriesPerMinute) return Math.max(1, fromNetwork.secondsLeft)
  const fromHere = await countTry(db, here)
  if (fromHere.tries > triesPerMinute) return Math.max(1, fromHere.secondsLeft)
  return transaction(db, tx => countInRow(tx, account, accountDelay))
}
