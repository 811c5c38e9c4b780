/** Binds people to directory entries by stable id, never by an address or a name. */
import { eq, sql } from 'drizzle-orm'
import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import { int, rowsOf } from '../db/rows.ts'
import { type boundBy, type directoryTroubles, people } from '../db/schema.ts'

export type BoundBy = (typeof boundBy)[number]
export type DirectoryTrouble = (typeof directoryTroubles)[number]

export interface EntryRef {
  id: string
  dn: string
}

export async function findByEntry(db: Db, entryId: string): Promise<number | undefined> {
  const [row] = await db.select({ id: people.id }).from(people).where(eq(people.directoryId, entryId))
  return row?.id
}

/** Replaces a former entry. Hold `lockAddresses` and the person's lock; no other person may have the entry. */
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

export async function letDirectoryPasswordIn(tx: Db, personId: number): Promise<void> {
  await tx.update(people).set({ directoryPasswordAt: sql`now()` }).where(eq(people.id, personId))
}

/** Records once a day why a person could not use the directory's password, for admins. */
export async function noteTrouble(tx: Db, personId: number, trouble: DirectoryTrouble): Promise<void> {
  const noted = await tx.execute(sql`
    update people set directory_trouble = ${trouble}, directory_trouble_at = now()
    where id = ${personId} and (directory_trouble is distinct from ${trouble}
      or directory_trouble_at < now() - interval '1 day') returning id`)
  if (noted.length > 0)
    await recordEvent(tx, { kind: 'directory-refused', actorId: null, personId, details: { trouble } })
}

export async function clearTrouble(db: Db, personId: number): Promise<void> {
  await db.execute(sql`
    update people set directory_trouble = null, directory_trouble_at = null
    where id = ${personId} and directory_trouble is not null`)
}

export async function unbindEntry(tx: Db, personId: number): Promise<void> {
  await tx.execute(sql`
    update people set directory_id = null, directory_dn = null, directory_bound_at = null, directory_bound_by = null,
      directory_password_at = null, directory_separated_at = now(), directory_mail = null, directory_mail_key = null,
      directory_trouble = null, directory_trouble_at = null, directory_check_at = null, gone_from_directory_at = null,
      disabled_in_directory_at = null
    where id = ${personId}`)
}

/** Gives the account to another person, without anything that the former one was given or chose. */
export async function giveToAnother(tx: Db, personId: number, name: string | null): Promise<void> {
  await tx.execute(sql`
    update people set role = 'member', password_hash = null, directory_password_at = null, name = ${name}::text,
      directory_mail = null, directory_mail_key = null
    where id = ${personId}`)
}

/** Gives the person the directory's address. Hold `lockAddresses`; the address must be free. */
export async function moveToDirectoryAddress(tx: Db, personId: number): Promise<void> {
  await tx.execute(sql`
    update people set email = directory_mail, address_key = directory_mail_key, directory_mail = null,
      directory_mail_key = null
    where id = ${personId}`)
}

export interface Relink {
  personId: number
  formerId: string
  entryId: string
  dn: string
}

/** Binds people to new entries if they still have the former one; returns who. Hold `lockAddresses`. */
export async function replaceEntries(tx: Db, relinks: Relink[]): Promise<number[]> {
  const column = (pick: (each: Relink) => string | number) => sql.param(relinks.map(pick))
  const rows = await rowsOf(tx, { id: int })`
    update people p set directory_id = r.entry_id, directory_dn = r.dn, directory_bound_at = now(),
      directory_bound_by = 'admin', directory_trouble = null, directory_trouble_at = null, directory_check_at = null,
      gone_from_directory_at = null, disabled_in_directory_at = null
    from unnest(${column(each => each.personId)}::bigint[], ${column(each => each.formerId)}::text[],
      ${column(each => each.entryId)}::text[], ${column(each => each.dn)}::text[]) as r(id, former, entry_id, dn)
    where p.id = r.id and p.directory_id = r.former
      and not exists (select from people q where q.directory_id = r.entry_id)
    returning p.id`
  return rows.map(({ id }) => id)
}
