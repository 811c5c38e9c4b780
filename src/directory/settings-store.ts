import { eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { directorySettings } from '../db/schema.ts'

export type SettingsRow = typeof directorySettings.$inferSelect
export type NewSettings = Omit<typeof directorySettings.$inferInsert, 'id' | 'updatedAt'>

export async function readSettingsRow(db: Db): Promise<SettingsRow | undefined> {
  const [row] = await db.select().from(directorySettings)
  return row
}

/** Writes the one row. Without `bindPassword` the password stays. */
export async function writeSettingsRow(tx: Db, changed: NewSettings): Promise<void> {
  const values = { ...changed, updatedAt: sql`now()` }
  await tx.insert(directorySettings).values(values).onConflictDoUpdate({ target: directorySettings.id, set: values })
}

/** Stores the same password under another key, unless an owner has entered a new one meanwhile. */
export async function replacePassword(db: Db, before: Buffer, sealed: Buffer): Promise<void> {
  const { bindPassword } = directorySettings
  await db.update(directorySettings).set({ bindPassword: sealed }).where(eq(bindPassword, before))
}
