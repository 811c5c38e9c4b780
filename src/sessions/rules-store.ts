import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { signInSettings } from '../db/schema.ts'
import type { Role } from '../lib/role.ts'

/** Who may sign in with a password, and who needs a second factor. */
export interface SignInRules {
  passwords: 'everybody' | 'owners'
  secondFactor: 'off' | 'admins' | 'everybody'
  directoryPasswords: boolean | null
}

export async function readRules(db: Db): Promise<SignInRules> {
  const { passwords, secondFactor, directoryPasswords } = signInSettings
  const [row] = await db.select({ passwords, secondFactor, directoryPasswords }).from(signInSettings)
  return row ?? { passwords: 'everybody', secondFactor: 'off', directoryPasswords: null }
}

export async function writeRules(tx: Db, rules: SignInRules): Promise<void> {
  const values = { ...rules, updatedAt: sql`now()` }
  await tx.insert(signInSettings).values(values).onConflictDoUpdate({ target: signInSettings.id, set: values })
}

export const needsSecondFactor = ({ secondFactor }: SignInRules, role: Role): boolean =>
  secondFactor === 'everybody' || (secondFactor === 'admins' && (role === 'admin' || role === 'owner'))
