import { createHash, randomUUID } from 'node:crypto'
import { type Database, transaction } from '../../db/client.ts'
import { parseAddress } from '../../lib/email-address.ts'
import type { CheckOutside, Claimant, OutsideAnswer } from '../../sessions/outside.ts'
import { addTry, forgetTries, lockTries, takeBackTry } from '../../sessions/store.ts'
import { type DirectoryDeps, directoryOf } from '../connection/settings.ts'
import { type Directory, DirectoryProblem } from '../directory.ts'

/**
 * Wrong passwords that reach the directory for one person, from wherever they come, before it is left in peace. Directories
 * lock an account after five or more: nobody may lock one through us.
 */
export const bindLimit = { tries: 4, minutes: 30 }
const peaceSeconds = bindLimit.minutes * 60

/** The check of passwords against the directory, or undefined when sign-in with them is off. */
export function checkOutsideFor(deps: DirectoryDeps): CheckOutside | undefined {
  if (!deps.config.ldapSignIn) return undefined
  return async (claimant, password) => {
    const opened = await directoryOf(deps)
    if ('problem' in opened) return { outcome: 'unavailable' }
    const key = `bind ${createHash('sha256').update(claimant.addressKey).digest('base64url')}`
    const wait = await secondsToWait(deps.db, key)
    if (wait > 0) return { outcome: 'too-many', retryAfterSeconds: wait }
    const answer = await ask(opened.directory, claimant, password)
    if (answer.outcome === 'right') await forgetTries(deps.db, [key])
    if (answer.outcome === 'unavailable') await takeBackTry(deps.db, key)
    return answer
  }
}

/** Counts a try before it is made, so that parallel ones cannot slip through. */
async function secondsToWait(db: Database, key: string): Promise<number> {
  return transaction(db, async tx => {
    const { failures, secondsSince } = await lockTries(tx, key)
    if (failures >= bindLimit.tries && secondsSince < peaceSeconds) return Math.ceil(peaceSeconds - secondsSince)
    if (secondsSince >= peaceSeconds) {
      await forgetTries(tx, [key])
      await lockTries(tx, key)
    }
    await addTry(tx, key)
    return 0
  })
}

async function ask(
  directory: Directory,
  claimant: Claimant | { addressKey: string },
  password: string
): Promise<OutsideAnswer> {
  try {
    if (!('email' in claimant)) return await askForNobody(directory)
    return await askFor(directory, claimant, password)
  } catch (error) {
    if (error instanceof DirectoryProblem) return { outcome: 'unavailable' }
    throw error
  }
}

async function askFor(directory: Directory, claimant: Claimant, password: string): Promise<OutsideAnswer> {
  const { directoryId, email, addressKey, isGone } = claimant
  const [known] = directoryId === null ? [] : await directory.findPeople([directoryId])
  if (known?.isDisabled || (directoryId !== null && !known && isGone)) return { outcome: 'wrong' }
  const answer = await directory.checkPassword(known?.mail ?? email, password)
  if (answer.outcome !== 'right') return { outcome: answer.outcome }
  // the right password of somebody else is not theirs
  const addresses = [answer.person.mail, ...(answer.addresses ?? [])]
  const isSame = known ? answer.person.id === directoryId : addresses.some(mail => keyOf(mail) === addressKey)
  return { outcome: isSame ? 'right' : 'wrong' }
}

/** As long as for somebody, more or less, and no password goes anywhere. */
async function askForNobody(directory: Directory): Promise<OutsideAnswer> {
  for (let each = 0; each < 2; each += 1) await directory.findPeople([randomUUID()])
  return { outcome: 'wrong' }
}

function keyOf(mail: string | null): string | undefined {
  const parsed = mail === null ? undefined : parseAddress(mail)
  return parsed && !('fault' in parsed) ? parsed.key : undefined
}
