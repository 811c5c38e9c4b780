import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Database, transaction } from '../db/client.ts'
import { type Directory, DirectoryProblem } from '../ldap/directory.ts'
import { clearTrouble, type DirectoryTrouble, findByEntry, noteTrouble } from '../people/entry-store.ts'
import type { CheckDirectoryPassword, Claimant, DirectoryAnswer } from '../sessions/directory-sign-in.ts'
import { addTry, clearTries, forgetTries, lockTries, takeBackTry } from '../sessions/store.ts'
import { type DirectoryDeps, directoryOf } from './settings.ts'

/** Strangers' wrong passwords per person: directories lock after five. Known browsers count separately. */
export const bindLimit = { tries: 4, minutes: 30 }
const peaceSeconds = bindLimit.minutes * 60
/** Refusals are sent at these intervals (ms): the directory's timing would reveal who is a user. */
const answerEvery = 500

export function directoryPasswordCheck(deps: DirectoryDeps): CheckDirectoryPassword {
  return async (claimant, password, share) => {
    const since = performance.now()
    const opened = await directoryOf(deps)
    if ('problem' in opened) return { outcome: 'unavailable', reason: opened.problem }
    const key = `bind ${createHash('sha256').update(claimant.addressKey).digest('base64url')}${share ? ` ${share}` : ''}`
    const wait = await secondsToWait(deps.db, key)
    if (wait > 0) return { outcome: 'too-many', retryAfterSeconds: wait }
    const answer = await ask(deps.db, opened.directory, claimant, password)
    const isKnown = ['right', 'expired', 'must-change'].includes(answer.outcome)
    if (isKnown) await forgetTries(deps.db, [key])
    if (answer.outcome === 'unavailable') await takeBackTry(deps.db, key)
    if (answer.outcome !== 'right') await untilNextMoment(since)
    return answer
  }
}

/** Counts an attempt before it is made, so that parallel ones cannot slip through. */
async function secondsToWait(db: Database, key: string): Promise<number> {
  return transaction(db, async tx => {
    const { failures, secondsSince } = await lockTries(tx, key)
    if (failures >= bindLimit.tries && secondsSince < peaceSeconds) return Math.ceil(peaceSeconds - secondsSince)
    if (secondsSince >= peaceSeconds) {
      await clearTries(tx, key)
    }
    await addTry(tx, key)
    return 0
  })
}

async function untilNextMoment(since: number) {
  const elapsed = performance.now() - since
  await pause(Math.ceil(elapsed / answerEvery) * answerEvery - elapsed)
}

async function ask(
  db: Database,
  directory: Directory,
  claimant: Claimant | { addressKey: string },
  password: string
): Promise<DirectoryAnswer> {
  try {
    if (!('email' in claimant)) return await askForUnknown(directory)
    return await askFor(db, directory, claimant, password)
  } catch (error) {
    if (error instanceof DirectoryProblem) return { outcome: 'unavailable', reason: error.message }
    throw error
  }
}

/** Asks the person's entry under its present DN; without one, the only entry with their address. */
async function askFor(
  db: Database,
  directory: Directory,
  { personId, email, entryId, mayClaim }: Claimant,
  password: string
): Promise<DirectoryAnswer> {
  if (entryId === null && !mayClaim) return askForUnknown(directory)
  const answer = await directory.checkPassword(entryId === null ? { address: email } : { id: entryId }, password)
  const unclear = async (trouble: DirectoryTrouble): Promise<DirectoryAnswer> => {
    await transaction(db, tx => noteTrouble(tx, personId, trouble))
    return { outcome: 'unclear' }
  }
  if (answer.outcome === 'missing') return entryId === null ? { outcome: 'wrong' } : unclear('entry-missing')
  if (answer.outcome === 'ambiguous') return unclear('two-entries')
  if (answer.outcome === 'wrong' || answer.outcome === 'unavailable') return answer
  const { id, dn } = answer.person
  const owner = entryId === null ? await findByEntry(db, id) : personId
  if (owner !== undefined && owner !== personId) return unclear('entry-taken')
  if (answer.outcome !== 'right') return { outcome: answer.outcome }
  await clearTrouble(db, personId)
  return { outcome: 'right', entry: { id, dn } }
}

/** The same conversation about an entry that cannot exist; the typed password is not sent. */
async function askForUnknown(directory: Directory): Promise<DirectoryAnswer> {
  const answer = await directory.checkPassword({ id: randomUUID() }, randomUUID())
  return answer.outcome === 'unavailable' ? answer : { outcome: 'wrong' }
}
