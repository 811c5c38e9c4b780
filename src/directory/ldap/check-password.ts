import type { DirectorySettings, PasswordCheck } from '../directory.ts'
import { DirectoryProblem } from '../directory.ts'
import { addressesOf } from './schema/address.ts'
import { personAttributes, personOf } from './schema/person.ts'
import { type Session, signIn, withSession } from './session.ts'
import type { Entry } from './syntax/entry.ts'
import { allOf, anyOf, equals } from './syntax/literal.ts'
import { connect } from './wire/connect.ts'
import type { Limits } from './wire/limits.ts'
import { RefusedOperation } from './wire/words.ts'

/** Results of a bind that speak about the person: no such entry or password, wrong, no rights, locked by a policy. */
const wrong = [19, 32, 48, 49, 50, 53]

/**
 * Looks the person up as the bind account and then signs in as that entry, over a connection of its own. One bind at most,
 * and none for an empty password, for nobody, for more than one or for the disabled.
 */
export async function checkPasswordAt(
  settings: DirectorySettings,
  limits: Limits,
  login: string,
  password: string,
  signal?: AbortSignal
): Promise<PasswordCheck> {
  if (password === '' || login.trim() === '') return { outcome: 'wrong' }
  try {
    const found = await withSession(settings, limits, signal, session => findOne(session, login.trim()))
    const person = found?.person
    if (!found || !person || person.isDisabled || person.isExcluded || person.dn === '') return { outcome: 'wrong' }
    const answer = await trySignIn(settings, limits, person.dn, password, signal)
    return answer === 'right' ? { outcome: 'right', person, addresses: found.addresses } : { outcome: 'wrong' }
  } catch (error) {
    if (signal?.aborted || !(error instanceof DirectoryProblem)) throw error
    return { outcome: 'unavailable', reason: error.message }
  }
}

async function findOne(session: Session, login: string) {
  const { names, defaults, filters, exclusions } = session
  const logins = [...names.mail, ...defaults.logins]
  // most servers compare without case; those that do not keep aliases in small letters
  const others = defaults.otherAddresses.flatMap(name => [equals(name, `SMTP:${login}`), equals(name, `smtp:${login}`)])
  const filter = allOf(filters.people, anyOf([...logins.map(name => equals(name, login)), ...others]))
  const attributes = [...new Set([...personAttributes(names), ...logins])]
  const search = { base: session.settings.baseDn, scope: 'sub' as const, filter, attributes }
  const found: Entry[] = []
  for await (const page of session.pages({ ...search, doing: 'Looking for the person' })) {
    found.push(...page)
    if (found.length > 1) return null
  }
  const [entry] = found
  if (!entry) return null
  // servers also match what only looks alike (wide letters, unseen ones): many spellings would be many guesses
  const addresses = addressesOf(entry, names).map(({ text }) => text)
  const values = [...logins.flatMap(name => entry.texts(name)), ...addresses]
  const isSpelled = values.some(value => value.trim().toLowerCase() === login.toLowerCase())
  const person = isSpelled ? personOf(entry, names, exclusions, null) : null
  return person && { person, addresses }
}

/** What the directory says of a password; expired, or to be changed first, is one that was right. */
export type Tried = 'right' | 'wrong' | 'expired' | 'must-change'

/** Signs in as the entry, over a connection of its own. */
export async function trySignIn(
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
