/** Which directory entry a person is bound to: by its stable id, never by an address or a name. */
import { eq, sql } from 'drizzle-orm'
import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import { type boundBy, type directoryTroubles, people } from '../db/schema.ts'

export type BoundBy = (typeof boundBy)[number]
export type DirectoryTrouble = (typeof directoryTroubles)[number]

/** An entry by its stable id, with the DN that it has at this moment. */
export interface EntryRef {
  id: string
  dn: string
}

/** The person whose entry this is. */
export async function findByEntry(db: Db, entryId: string): Promise<number | undefined> {
  const [row] = await db.select({ id: people.id }).from(people).where(eq(people.directoryId, entryId))
  return row?.id
}

/**
 * Binds a person to an entry, instead of the one they may have had. Hold `lockAddresses` and the person's lock, and make
 * sure that no other person has the entry.
 */
export async function bindEntry(tx: Db, personId: number, { id, dn }: EntryRef, by: BoundBy): Promise<void> {
  await tx
    .update(people)
    .set({
      directoryId: id,
      directoryDn: dn,
      directoryBoundAt: sql`now()`,
      directoryBoundBy: by,
      directorySeparatedAt: null,
      directoryTrouble: null,
      directoryTroubleAt: null,
      disabledInDirectoryAt: null,
      goneFromDirectoryAt: null,
      directoryCheckAt: null
    })
    .where(eq(people.id, personId))
}

/** From now on the entry's password opens the account, beside the one that was chosen here. */
export async function letDirectoryPasswordIn(tx: Db, personId: number): Promise<void> {
  await tx.update(people).set({ directoryPasswordAt: sql`now()` }).where(eq(people.id, personId))
}

/** Notes once a day why a person could not use the directory's password, for an admin to see. */
export async function noteTrouble(tx: Db, personId: number, trouble: DirectoryTrouble): Promise<void> {
  const noted = await tx.execute(sql`
    update people set directory_trouble = ${trouble}, directory_trouble_at = now()
    where id = ${personId} and (directory_trouble is distinct from ${trouble}
      or directory_trouble_at < now() - interval '1 day') returning id`)
  if (noted.length > 0)
    await recordEvent(tx, { kind: 'directory-refused', actorId: null, personId, details: { trouble } })
}

/** The directory's password was right: the trouble is over. */
export async function clearTrouble(db: Db, personId: number): Promise<void> {
  await db.execute(sql`
    update people set directory_trouble = null, directory_trouble_at = null
    where id = ${personId} and directory_trouble is not null`)
}
