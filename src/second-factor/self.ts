import type { Db } from '../db/client.ts'
import { RoleLost } from '../lib/role.ts'
import { lockPerson, type PersonRow, requireRole } from '../people/store.ts'

/** A person who acts on their own account. */
export interface Self {
  id: number
  sessionId: number
}

/** @throws RoleLost (403) when the account was deactivated meanwhile. */
export async function lockSelf(tx: Db, id: number): Promise<PersonRow> {
  const person = await lockPerson(tx, id)
  await requireRole(tx, id, 'member')
  if (!person) throw new RoleLost()
  return person
}
