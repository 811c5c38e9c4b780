import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { hashPassword, passwordProblem, verifyPassword } from '../lib/password.ts'
import { inPasswordLine, type Turn } from '../lib/password-line.ts'
import { findPerson, readOrganization, updatePassword } from './store.ts'

export type PasswordOutcome =
  | { outcome: 'changed' }
  | { outcome: 'wrong-password' }
  | { outcome: 'refused'; problem: string }

/** Gives a user a new password after checking the current one. Their other sessions are the caller's to end. */
export async function changePassword(
  db: Database,
  personId: number,
  { current, next, turn }: { current: string; next: string; turn: Omit<Turn, 'asker'> }
): Promise<PasswordOutcome> {
  const inLine = <T>(work: () => Promise<T>) => inPasswordLine({ asker: 'known', ...turn }, work)
  const person = await findPerson(db, personId)
  if (!person || !(await inLine(() => verifyPassword(current, person.passwordHash))))
    return { outcome: 'wrong-password' }
  const organization = await readOrganization(db)
  const problem = passwordProblem(next, [person.email, person.name ?? '', organization?.organization ?? ''])
  if (problem) return { outcome: 'refused', problem }
  const hash = await inLine(() => hashPassword(next))
  await transaction(db, async tx => {
    await updatePassword(tx, personId, hash)
    await recordEvent(tx, { kind: 'password-changed', actorId: personId, personId })
  })
  return { outcome: 'changed' }
}
