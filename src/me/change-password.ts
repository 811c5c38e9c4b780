import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { hashPassword, passwordProblem, verifyPassword } from '../lib/secrets/password.ts'
import { inPasswordLine, type Turn } from '../lib/secrets/password-line.ts'
import { readOrganization } from '../organization/store.ts'
import { findPerson, lockPerson, updatePassword } from '../people/store.ts'
import { factorsOf } from '../sessions/factors-store.ts'

export type PasswordOutcome =
  | { outcome: 'changed' }
  /** The password was changed, or the user deactivated or signed out, meanwhile. */
  | { outcome: 'changed-meanwhile' }
  | { outcome: 'wrong-password' }
  | { outcome: 'refused'; problem: string }

export interface PasswordChange {
  current: string
  next: string
  turn: Omit<Turn, 'asker'>
  after: (tx: Db) => Promise<boolean>
}

/** Checks the current password. `after` runs in the same transaction, for sessions; false: nothing is changed. */
export async function changePassword(
  db: Database,
  personId: number,
  { current, next, turn, after }: PasswordChange
): Promise<PasswordOutcome> {
  const inLine = <T>(work: () => Promise<T>) => inPasswordLine({ asker: 'known', ...turn }, work)
  const person = await findPerson(db, personId)
  if (!person || !(await inLine(() => verifyPassword(current, person.passwordHash))))
    return { outcome: 'wrong-password' }
  const organization = await readOrganization(db)
  const { hasCodes } = await factorsOf(db, personId)
  const context = [person.email, person.name ?? '', organization?.organization ?? '']
  const problem = passwordProblem(next, context, hasCodes)
  if (problem) return { outcome: 'refused', problem }
  const hash = await inLine(() => hashPassword(next))
  const isDone = await transaction(db, async tx => {
    const now = await lockPerson(tx, personId)
    if (now?.enrollment !== 'signed-up' || now.passwordHash !== person.passwordHash || !(await after(tx))) return false
    await updatePassword(tx, personId, hash)
    await recordEvent(tx, { kind: 'password-changed', actorId: personId, personId })
    return true
  })
  return { outcome: isDone ? 'changed' : 'changed-meanwhile' }
}
