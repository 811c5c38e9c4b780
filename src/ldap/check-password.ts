import { randomUUID } from 'node:crypto'
import type { DirectoryPerson, DirectorySettings, EntryKey, PasswordCheck } from './directory.ts'
import { DirectoryProblem } from './directory.ts'
import { findByAddressIn, findPeopleIn } from './find.ts'
import { signIn, withSession } from './session.ts'
import { connect } from './wire/connect.ts'
import type { Limits } from './wire/limits.ts'
import { RefusedOperation } from './wire/words.ts'

/** Results of a bind that concern the person: no such entry or password, wrong, no rights, locked by a policy. */
const wrong = [19, 32, 48, 49, 50, 53]

/** Takes the same steps whatever is found (S20): without an entry, a bind that fails. Never sends an empty password. */
export async function checkPasswordAt(
  settings: DirectorySettings,
  limits: Limits,
  key: EntryKey,
  password: string,
  signal?: AbortSignal
): Promise<PasswordCheck> {
  if (password === '') return { outcome: 'wrong' }
  const tryAs = (dn: string, secret: string) => trySignIn(settings, limits, dn, secret, signal)
  try {
    const found = await withSession(settings, limits, signal, session =>
      'id' in key ? findPeopleIn(session, [key.id]) : findByAddressIn(session, key.address)
    )
    const [person, another] = found.filter(maySignIn)
    if (person && !another) {
      const outcome = await tryAs(person.dn, password)
      return outcome === 'wrong' ? { outcome } : { outcome, person }
    }
    await tryAs(`cn=${randomUUID()},${settings.baseDn}`, randomUUID())
    return { outcome: another ? 'ambiguous' : found.length === 0 ? 'missing' : 'wrong' }
  } catch (error) {
    if (signal?.aborted || !(error instanceof DirectoryProblem)) throw error
    return { outcome: 'unavailable', reason: error.message }
  }
}

const maySignIn = ({ dn, isDisabled, isExcluded }: DirectoryPerson) => dn !== '' && !isDisabled && !isExcluded

type Tried = 'right' | 'wrong' | 'expired' | 'must-change'

async function trySignIn(
  settings: DirectorySettings,
  limits: Limits,
  dn: string,
  password: string,
  signal?: AbortSignal
): Promise<Tried> {
  const connection = await connect(settings, limits, signal)
  try {
    await signIn(connection, dn, password)
    return 'right'
  } catch (error) {
    if (!(error instanceof RefusedOperation && wrong.includes(error.code))) throw error
    const { reason } = error
    return reason === 'expired' || reason === 'must-change' ? reason : 'wrong'
  } finally {
    connection.close()
  }
}
