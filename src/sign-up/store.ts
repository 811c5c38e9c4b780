import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { people } from '../db/schema.ts'
import type { Role } from '../lib/role.ts'

/** Makes the invited person a user. Credentials that they had before are replaced. */
export async function signUpPerson(
  tx: Db,
  id: number,
  user: { name: string; role: Role; passwordHash: string | null }
): Promise<void> {
  const isNew = and(eq(people.id, id), isNull(people.signedUpAt))
  const rows = await tx
    .update(people)
    .set({ ...user, signedUpAt: sql`now()` })
    .where(isNew)
    .returning({ id: people.id })
  if (rows.length === 0) throw new Error('an open invitation belonged to a person who had signed up')
}
