/** Larkfield, the organization of most tests: its domains, its four users and their password. */
import { type Database, transaction } from '../../src/db/client.ts'
import { parseAddress } from '../../src/lib/addresses/email-address.ts'
import type { Role } from '../../src/lib/role.ts'
import { hashPassword } from '../../src/lib/secrets/password.ts'
import { insertUser, setDeactivated } from '../../src/people/store.ts'
import { startSession } from '../../src/sessions/start-session.ts'
import { setUp } from '../../src/setup/set-up.ts'

export const goodPassword = 'seven-otters-swim-north'
export const organization = 'Larkfield'
export const domains = ['larkfield.example', 'larkfield-retail.example']

/** Ada is the owner, Ben an admin, Cleo an auditor, Dan a member; Eve is outside. */
export type Persona = 'ada' | 'ben' | 'cleo' | 'dan'
const roleOf: Record<Persona, Role> = { ada: 'owner', ben: 'admin', cleo: 'auditor', dan: 'member' }
const passwordHash = hashPassword(goodPassword)

/** Sets an empty database up as Larkfield with its four users. */
export async function introduce(db: Database): Promise<void> {
  const address = addressOf('ada@larkfield.example')
  const result = await setUp(db, { organization, domains, name: 'Ada', address, password: goodPassword })
  if (result.outcome !== 'set-up') throw new Error('the test database was set up before')
  for (const name of ['ben', 'cleo', 'dan'] as const) await addUser(db, name, roleOf[name])
}

/** A user who signed up, with the password of every persona. */
export async function addUser(db: Database, name: string, role: Role, { isDeactivated = false } = {}): Promise<number> {
  const { address: email, key: addressKey } = addressOf(`${name}@larkfield.example`)
  const shown = name[0]!.toUpperCase() + name.slice(1)
  const id = await insertUser(db, { email, addressKey, name: shown, role, passwordHash: await passwordHash })
  if (isDeactivated) await setDeactivated(db, [id], true)
  return id
}

/** The people's ids by the first part of their address. */
export async function readIds(db: Database): Promise<Record<Persona, number>> {
  const rows = await db.$client<{ name: Persona; id: number }[]>`
    select split_part(address_key, '@', 1) as name, id from people`
  return Object.fromEntries(rows.map(({ name, id }) => [name, id])) as Record<Persona, number>
}

/** A session as a sign-in starts it, without the 80 ms of checking a password. */
export async function sessionOf(db: Database, id: number): Promise<string> {
  const browser = { userAgent: 'lightMyRequest', oldToken: undefined, method: 'password' as const, isProven: true }
  const started = await transaction(db, tx => startSession(tx, id, browser))
  if (!started?.token) throw new Error(`person ${id} could not sign in`)
  return started.token
}

export function addressOf(text: string) {
  const parsed = parseAddress(text)
  if ('fault' in parsed) throw new Error(`${text}: ${parsed.fault}`)
  return parsed
}
