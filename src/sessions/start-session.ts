import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import type { Role } from '../lib/role.ts'
import { cutText } from '../lib/text/cut.ts'
import { lockPerson } from '../people/store.ts'
import { factorsOf } from './factors-store.ts'
import { needsSecondFactor, readRules } from './rules-store.ts'
import { hashSessionToken, newSessionToken } from './session.ts'
import { deleteSessionByToken, insertSession, type SessionStart } from './store.ts'
import { insertWaiting } from './waiting-store.ts'

export type Started =
  | { role: Role; token: string; waiting?: never }
  /** The second factor comes first: the id of a session that no browser has yet. */
  | { role: Role; token?: never; waiting: number }

export interface Start extends Omit<SessionStart, 'needsFactor'> {
  oldToken: string | undefined
  /** A second factor was shown: by a passkey, at the provider, or when this browser signed in. */
  isProven?: boolean
  /** The password is too short to be the only factor (S40). */
  isShort?: boolean
}

/** Replaces the browser's former session; undefined unless an active user: nothing outlives a deactivation (S38). */
export async function startSession(
  tx: Db,
  personId: number,
  { userAgent, oldToken, isProven = false, isShort = false, ...start }: Start
): Promise<Started | undefined> {
  const person = await lockPerson(tx, personId)
  if (person?.enrollment !== 'signed-up') return undefined
  const { role } = person
  const factor = isProven ? 'none' : await factorFor(tx, person, isShort)
  const session = { ...start, userAgent: userAgent && cutText(userAgent, 300), needsFactor: factor === 'missing' }
  // the operator made the link because nothing else worked
  if (factor === 'asked' && start.method !== 'link')
    return { role, waiting: await insertWaiting(tx, personId, session) }
  const token = newSessionToken()
  if (oldToken) await deleteSessionByToken(tx, hashSessionToken(oldToken))
  await insertSession(tx, personId, hashSessionToken(token), session)
  await recordEvent(tx, { kind: 'signed-in', actorId: personId, personId, details: { method: start.method } })
  return { role, token }
}

/** Codes are always asked for; a passkey only where a second factor is required, as it may be a mere convenience. */
async function factorFor(tx: Db, { id, role }: { id: number; role: Role }, isShort: boolean) {
  const [rules, { hasCodes, hasPasskey }] = [await readRules(tx), await factorsOf(tx, id)]
  const isRequired = isShort || needsSecondFactor(rules, role)
  if (hasCodes || (hasPasskey && isRequired)) return 'asked'
  return isRequired ? 'missing' : 'none'
}
