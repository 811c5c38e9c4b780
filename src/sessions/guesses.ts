/** Wrong current passwords at /me: a session left open must not reveal the password. */
import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { accountDelay } from './session.ts'
import { addTry, countInRow, deleteSession, forgetTries, lockTries } from './store.ts'

const maxInSession = 10

const keyOf = (personId: number) => `me ${personId}`
const keyOfSession = (sessionId: number) => `me session ${sessionId}`

/** Seconds to wait, 0, or `over` after ten in a session; pauses as at sign-in (NIST SP 800-63B-4). */
export async function countGuess(db: Database, personId: number, sessionId: number): Promise<number | 'over'> {
  return transaction(db, async tx => {
    if ((await lockTries(tx, keyOfSession(sessionId))).failures >= maxInSession) return 'over'
    const wait = await countInRow(tx, keyOf(personId), accountDelay)
    if (wait === 0) await addTry(tx, keyOfSession(sessionId))
    return wait
  })
}

export async function endAfterGuesses(db: Database, personId: number, sessionId: number): Promise<boolean> {
  return transaction(db, async tx => {
    const { failures } = await lockTries(tx, keyOfSession(sessionId))
    if (failures < maxInSession) return false
    if (await deleteSession(tx, personId, sessionId))
      await recordEvent(tx, { kind: 'password-guessed', actorId: personId, personId, details: { tries: failures } })
    return true
  })
}

export async function forgetGuesses(db: Database, personId: number, sessionId: number): Promise<void> {
  await forgetTries(db, [keyOf(personId), keyOfSession(sessionId)])
}
