import type { DirectoryPerson, DirectorySettings, EntryCheck, EntryKey } from '../directory.ts'
import { DirectoryProblem } from '../directory.ts'
import { trySignIn } from './check-password.ts'
import { findByAddressIn, findPeopleIn } from './find.ts'
import { withSession } from './session.ts'
import type { Limits } from './wire/limits.ts'

/**
 * Looks the entry up as the bind account and signs in under the DN that it has now. One bind at most, and none for an empty
 * password.
 */
export async function checkPasswordOfEntry(
  settings: DirectorySettings,
  limits: Limits,
  key: EntryKey,
  password: string,
  signal?: AbortSignal
): Promise<EntryCheck> {
  if (password === '') return { outcome: 'wrong' }
  try {
    const found = await withSession(settings, limits, signal, session =>
      'id' in key ? findPeopleIn(session, [key.id]) : findByAddressIn(session, key.address)
    )
    if (found.length === 0) return { outcome: 'missing' }
    const [person, another] = found.filter(maySignIn)
    if (!person) return { outcome: 'wrong' }
    if (another) return { outcome: 'ambiguous' }
    const outcome = await trySignIn(settings, limits, person.dn, password, signal)
    return outcome === 'wrong' ? { outcome } : { outcome, person }
  } catch (error) {
    if (signal?.aborted || !(error instanceof DirectoryProblem)) throw error
    return { outcome: 'unavailable', reason: error.message }
  }
}

const maySignIn = ({ dn, isDisabled, isExcluded }: DirectoryPerson) => dn !== '' && !isDisabled && !isExcluded
