import { recordEvent } from '../audit/store.ts'
import { transaction } from '../db/client.ts'
import type { Role } from '../lib/role.ts'
import { lockPerson } from '../people/store.ts'
import type { FactorTicket } from '../sessions/factor-ticket.ts'
import { accountDelay, hashSessionToken } from '../sessions/session.ts'
import { countInRow, deleteSessionByToken, forgetTries, lockTries } from '../sessions/store.ts'
import { completeWaiting, isWaiting } from '../sessions/waiting-store.ts'
import type { FactorDeps } from './sealed-totp.ts'
import { takeCode } from './take-code.ts'

export interface FactorAttempt {
  ticket: FactorTicket
  code: string
  oldToken: string | undefined
  /** The mark of a browser in which this person has signed in before: it has its own count. */
  nonce: string | undefined
}

export type FactorOutcome =
  | { outcome: 'signed-in'; personId: number; role: Role; token: string }
  | { outcome: 'wrong' }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  /** The ticket was used, or the sign-in was ended meanwhile. */
  | { outcome: 'late' }

/** Guesses from a row on are worth an event: they follow a right password. */
const suspicious = 10

/** Guesses are limited as those of passwords are. */
export async function passFactor(deps: FactorDeps, attempt: FactorAttempt): Promise<FactorOutcome> {
  const { ticket, nonce } = attempt
  const { personId } = ticket
  const key = nonce === undefined ? `factor ${personId}` : `factor browser ${nonce}`
  if (!(await isWaiting(deps.db, ticket.sessionId, personId))) return { outcome: 'late' }
  const wait = await transaction(deps.db, tx => countInRow(tx, key, accountDelay))
  if (wait > 0) return { outcome: 'too-many', retryAfterSeconds: wait }
  const outcome = await complete(deps, attempt)
  if (outcome.outcome === 'signed-in') await forgetTries(deps.db, [key])
  if (outcome.outcome === 'wrong') await noteGuesses(deps, personId, key)
  return outcome
}

class NotCompleted extends Error {}

async function complete(deps: FactorDeps, { ticket, code, oldToken }: FactorAttempt): Promise<FactorOutcome> {
  const { personId, sessionId } = ticket
  try {
    return await transaction(deps.db, async tx => {
      const person = await lockPerson(tx, personId)
      if (person?.enrollment !== 'signed-up') return { outcome: 'late' }
      if (!(await takeCode(tx, deps, personId, code))) return { outcome: 'wrong' }
      const session = await completeWaiting(tx, sessionId, personId)
      // the code is not used up by a sign-in that has ended
      if (!session) throw new NotCompleted()
      if (oldToken) await deleteSessionByToken(tx, hashSessionToken(oldToken))
      const details = { method: session.method, factor: 'code' }
      await recordEvent(tx, { kind: 'signed-in', actorId: personId, personId, details })
      return { outcome: 'signed-in', personId, role: person.role, token: session.token }
    })
  } catch (error) {
    if (error instanceof NotCompleted) return { outcome: 'late' }
    throw error
  }
}

async function noteGuesses({ db }: FactorDeps, personId: number, key: string): Promise<void> {
  await transaction(db, async tx => {
    const { failures } = await lockTries(tx, key)
    if (failures === suspicious)
      await recordEvent(tx, { kind: 'factor-guessed', actorId: null, personId, details: { tries: failures } })
  })
}
