import { inArray, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, oneOf, orNull, rowsOf, text } from '../db/rows.ts'
import { people, roles } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import type { Role } from '../lib/role.ts'
import { enrollmentOf, hasOpenInvitation, isActiveOwner, mayAct } from '../people/conditions.ts'
import type { Enrollment } from '../people/person.ts'

export interface AskedPerson {
  id: number
  email: string
  directoryId: string
  dn: string | null
}

const askedColumns = { id: int, email: text, directoryId: text, dn: orNull(text) }

export async function peopleToAskAbout(db: Db, limit: number): Promise<AskedPerson[]> {
  return rowsOf(db, askedColumns)`
    select id, email, directory_id as "directoryId", directory_dn as dn from people
    where directory_check_at <= now() and directory_id is not null order by directory_check_at, id limit ${limit}`
}

/** A few current group members: the directory must know them. */
export async function peopleInGroups(db: Db, limit: number): Promise<AskedPerson[]> {
  return rowsOf(db, askedColumns)`
    select id, email, directory_id as "directoryId", directory_dn as dn from people p
    where directory_id is not null and directory_check_at is null and gone_from_directory_at is null
      and exists (select from memberships m where m.person_id = p.id and m.source = 'directory') limit ${limit}`
}

export async function countInDirectory(db: Db): Promise<number> {
  const rows = await rowsOf(db, { people: int })`select count(*) as people from people where directory_id is not null`
  return first(rows).people
}

const isLeaver = sql`(p.disabled_in_directory_at is not null or p.gone_from_directory_at is not null)`
const couldAct = sql`(${mayAct(sql`p`)} or ${hasOpenInvitation(sql`p`)})`

/** Leavers of a run who can still act: users, and people with an open invitation. */
export const leaversOfRun = (runId: number) => sql`
  select p.id from planned pl join people p on p.id = pl.person_id
  where pl.run_id = ${runId} and not pl.is_excluded and pl.fault is null and ${isLeaver} and ${couldAct}`

export async function leaversParked(tx: Db, runId: number): Promise<Pick<Leaver, 'id' | 'role'>[]> {
  return rowsOf(tx, { id: int, role: oneOf(roles) })`
    select p.id, p.role from sync_changes c join people p on p.id = c.person_id
    where c.run_id = ${runId} and c.kind = 'deactivation-parked' and ${isLeaver} and ${couldAct}
    order by p.id`
}

export interface Leaver {
  id: number
  email: string
  dn: string | null
  role: Role
  /** When the directory no longer had them: microseconds, as text. */
  left: string
}

const leaverColumns = { id: int, email: text, dn: orNull(text), role: oneOf(roles), left: text }

const lastOwner = sql`(${isActiveOwner(sql`p`)} and not exists (
  select from people o where ${isActiveOwner(sql`o`)} and o.id <> p.id))`

export interface LeaversAsked {
  isOutside?: boolean
  until?: string
  after?: number
  limit?: number
}

/** Leavers who can still act, except the last owner, by id. `isOutside`: in no group. `until`: who left by then. */
export async function waitingLeavers(
  db: Db,
  { isOutside = false, until, after = 0, limit }: LeaversAsked = {}
): Promise<Leaver[]> {
  const left = sql`(extract(epoch from greatest(p.disabled_in_directory_at, p.gone_from_directory_at)) * 1000000)::bigint`
  return rowsOf(db, leaverColumns)`
    select p.id, p.email, p.directory_dn as dn, p.role, ${left}::text as "left" from people p
    where ${isLeaver} and ${couldAct} and p.directory_id is not null and not ${lastOwner}
      and ${isOutside ? sql`p.directory_check_at is not null` : sql`true`}
      and ${until === undefined ? sql`true` : sql`${left} <= ${until}::bigint`}
      and p.id > ${after}
    order by p.id limit ${limit ?? null}::bigint`
}

export interface ShownLeaver {
  id: number
  email: string
  name: string | null
  role: Role
  enrollment: Enrollment
  disabledAt: Date | null
  goneAt: Date | null
}

export async function showLeavers(db: Db, ids: number[]): Promise<ShownLeaver[]> {
  const { id, email, name, role, disabledInDirectoryAt: disabledAt, goneFromDirectoryAt: goneAt } = people
  return db
    .select({ id, email, name, role, enrollment: enrollmentOf(people), disabledAt, goneAt })
    .from(people)
    .where(inArray(id, ids))
    .orderBy(id)
}

export async function idsOf(tx: Db, people: SQL): Promise<number[]> {
  return (await rowsOf(tx, { id: int })`${people} order by 1`).map(row => row.id)
}
