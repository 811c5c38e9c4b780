import { eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { oidcProviders } from '../db/schema.ts'

export type ProviderRow = typeof oidcProviders.$inferSelect
export type NewProvider = Omit<typeof oidcProviders.$inferInsert, 'id' | 'updatedAt'>

/** The row in force, and the one that was saved and waits for a successful test. */
export const places = { inForce: 1, candidate: 2 } as const
export type Place = keyof typeof places

export async function readProviderRows(db: Db): Promise<Partial<Record<Place, ProviderRow>>> {
  const rows = await db.select().from(oidcProviders)
  const at = (place: Place) => rows.find(({ id }) => id === places[place])
  const [inForce, candidate] = [at('inForce'), at('candidate')]
  return { ...(inForce && { inForce }), ...(candidate && { candidate }) }
}

/** Keeps other changes of these settings waiting until this transaction ends. */
export async function lockProviders(tx: Db): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('rollcall:sign-in settings'))`)
}

export async function writeProviderRow(tx: Db, place: Place, row: NewProvider): Promise<void> {
  const values = { ...row, id: places[place], updatedAt: sql`now()` }
  await tx.insert(oidcProviders).values(values).onConflictDoUpdate({ target: oidcProviders.id, set: values })
}

export async function deleteProviderRow(tx: Db, place: Place): Promise<void> {
  await tx.delete(oidcProviders).where(eq(oidcProviders.id, places[place]))
}

export async function markTested(tx: Db, place: Place): Promise<void> {
  await tx.update(oidcProviders).set({ testedAt: sql`now()` }).where(eq(oidcProviders.id, places[place]))
}

/** Stores the same secret under another key, unless an owner has entered a new one meanwhile. */
export async function replaceClientSecret(db: Db, before: Buffer, sealed: Buffer | null): Promise<void> {
  const { clientSecret } = oidcProviders
  await db.update(oidcProviders).set({ clientSecret: sealed }).where(eq(clientSecret, before))
}
