import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, rowsOf } from '../../db/rows.ts'
import { first } from '../../lib/ends.ts'
import { isMissing } from './plan-store.ts'

/** Members listed by address alone have no entry, so nothing else is known of them. */
const hasEntry = sql`s.directory_id not like 'mail:%'`
const ofRun = (runId: number) => sql`planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
  where pl.run_id = ${runId} and not pl.is_excluded and pl.fault is null`

/** If an address was invited a moment ago, that person is used, unless they have an entry of their own. */
export async function addPeople(tx: Db, runId: number): Promise<void> {
  const row = first(
    await rowsOf(tx, { wanted: int, written: int })`
    with new as materialized (
      select pl.person_id, s.* from ${ofRun(runId)} and pl.is_new
    ), written as (
      insert into people (id, email, address_key, name, directory_id, directory_dn, directory_bound_at, directory_bound_by,
        department, title, manager, disabled_in_directory_at)
      select person_id, address, address_key, name, case when ${hasEntry} then directory_id end,
        case when ${hasEntry} then dn end, case when ${hasEntry} then now() end, case when ${hasEntry} then 'sync' end,
        department, title, manager, case when is_disabled then now() end
      from new s order by person_id
      on conflict do nothing returning id
    )
    select (select count(*) from new) as wanted, (select count(*) from written) as written`
  )
  if (row.wanted === row.written) return
  await tx.execute(sql`
    with known as (
      select s.n, p.id, p.directory_id is null and p.directory_separated_at is null or not ${hasEntry} as is_free
      from staging s join people p on p.address_key = s.address_key where s.run_id = ${runId}
    )
    update planned pl set person_id = case when k.is_free then k.id end, is_new = false,
      fault = case when not k.is_free then 'taken' end, holder_id = k.id
    from known k where pl.run_id = ${runId} and k.n = pl.n and pl.is_new and pl.person_id <> k.id`)
}

/** Updates known people and notes changes. Users keep the name they chose; no one's entry is replaced. */
export async function updatePeople(tx: Db, runId: number): Promise<number> {
  await freeMovingEntries(tx, runId)
  const row = first(
    await rowsOf(tx, { changed: int })`
    with change as materialized (
      select p.id, s.*, pl.takes_address, p.directory_id is null as is_first,
        case when p.signed_up_at is null then coalesce(s.name, p.name) else p.name end as new_name,
        p.name as old_name, p.email as old_email, p.department as old_department, p.title as old_title,
        p.manager as old_manager, p.directory_dn as old_dn,
        s.is_disabled and p.disabled_in_directory_at is null as turns_off,
        (not s.is_disabled and p.disabled_in_directory_at is not null) or p.gone_from_directory_at is not null as turns_on
      from planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n join people p on p.id = pl.person_id
      where pl.run_id = ${runId} and not pl.is_excluded and pl.fault is null and not pl.is_new and ${hasEntry}
        and (p.directory_id is null and p.directory_separated_at is null or p.directory_id = s.directory_id)
    ), different as materialized (
      select *, ${inWords} as detail from change
      where ${isDifferent}
    ), noted as (
      insert into sync_changes (run_id, kind, person_id, detail)
      select run_id, 'changed', id, detail from different where not is_first and detail <> ''
      union all select run_id, 'disabled', id, null from different where turns_off
      union all select run_id, 'back', id, null from different where turns_on
    ), written as (
      update people p set directory_id = d.directory_id, directory_dn = d.dn, name = d.new_name,
        directory_bound_at = case when d.is_first then now() else p.directory_bound_at end,
        directory_bound_by = case when d.is_first then 'address' else p.directory_bound_by end,
        department = d.department, title = d.title, manager = d.manager,
        disabled_in_directory_at = case when d.is_disabled then coalesce(p.disabled_in_directory_at, now()) end,
        gone_from_directory_at = null,
        email = case when d.takes_address then d.address else p.email end,
        address_key = case when d.takes_address then d.address_key else p.address_key end,
        directory_mail = case when not d.takes_address then p.directory_mail end,
        directory_mail_key = case when not d.takes_address then p.directory_mail_key end
      from different d where p.id = d.id
    )
    select count(*) filter (where (not is_first and detail <> '') or turns_off or turns_on) as changed from different`
  )
  return row.changed
}

/** One person per entry at any moment: an entry that moves to another person leaves the former one first. */
async function freeMovingEntries(tx: Db, runId: number) {
  await tx.execute(sql`
    update people p set directory_id = null, directory_dn = null, directory_bound_at = null, directory_bound_by = null,
      directory_mail = null, directory_mail_key = null
    from planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
    where pl.run_id = ${runId} and not pl.is_excluded and pl.fault is null and s.directory_id = p.directory_id
      and pl.person_id <> p.id`)
}

const isDifferent = sql`is_first or turns_off or turns_on or takes_address or new_name is distinct from old_name
  or department is distinct from old_department or title is distinct from old_title
  or manager is distinct from old_manager or dn is distinct from old_dn`

const arrow = (what: string, before: SQL, after: SQL) => sql`case when ${after} is distinct from ${before}
  then ${`${what}: `}::text || coalesce(${before}, 'none') || ' → ' || coalesce(${after}, 'none') end`

const inWords = sql`concat_ws('; ',
  ${arrow('name', sql`old_name`, sql`new_name`)},
  case when takes_address then 'address: ' || old_email || ' → ' || address end,
  ${arrow('department', sql`old_department`, sql`department`)},
  ${arrow('title', sql`old_title`, sql`title`)},
  case when manager is distinct from old_manager then 'another manager' end,
  case when dn is distinct from old_dn then 'moved or renamed in the directory' end)`

export async function addMemberships(tx: Db, runId: number, teamId: number): Promise<number> {
  const row = first(
    await rowsOf(tx, { added: int })`
    with missing as materialized (
      select pl.person_id, s.via
      from planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
      left join memberships m on m.team_id = ${teamId} and m.person_id = pl.person_id and m.source = 'directory'
      where pl.run_id = ${runId} and not pl.is_excluded and pl.fault is null and m.person_id is null
    ), written as (
      insert into memberships (team_id, person_id, source, via)
      select ${teamId}, person_id, 'directory', via from missing order by person_id
    ), noted as (
      insert into sync_changes (run_id, kind, person_id, detail)
      select ${runId}, 'added', person_id, case when via is not null then 'by way of ' || via end from missing order by person_id
    )
    select count(*) as added from missing`
  )
  await tx.execute(sql`
    update memberships m set via = s.via
    from planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
    where pl.run_id = ${runId} and not pl.is_excluded and m.team_id = ${teamId} and m.source = 'directory'
      and m.person_id = pl.person_id and m.via is distinct from s.via`)
  // put back or kept by hand, until the directory lists them again
  await tx.execute(sql`
    delete from memberships m using memberships again
    where m.team_id = ${teamId} and m.source = 'hand' and (m.via like 'run:%' or m.via = 'kept') and again.team_id = ${teamId}
      and again.source = 'directory' and again.person_id = m.person_id`)
  return row.added
}

const isNoneOf = (kept: number[]) =>
  kept.length === 0 ? sql`true` : sql`m.person_id not in (select unnest(${sql.param(kept)}::bigint[]))`

export async function countMembers(tx: Db, runId: number, teamId: number, kept: number[]) {
  return first(
    await rowsOf(tx, { all: int, missing: int })`
    select (select count(*) from memberships where team_id = ${teamId} and source = 'directory') as "all",
      (select count(*) from memberships m where ${isMissing(runId, teamId)} and ${isNoneOf(kept)}) as missing`
  )
}

/** Removes the memberships by the directory that the group no longer lists, and no others. */
export async function removeMemberships(tx: Db, runId: number, teamId: number, kept: number[]): Promise<number[]> {
  const rows = await rowsOf(tx, { personId: int })`
    with gone as (
      delete from memberships m where ${isMissing(runId, teamId)} and ${isNoneOf(kept)} returning person_id
    ), noted as (
      insert into sync_changes (run_id, kind, person_id) select ${runId}, 'removed', person_id from gone order by person_id
    )
    select person_id from gone`
  return rows.map(row => row.personId)
}

export async function parkMemberships(tx: Db, runId: number, teamId: number, kept: number[]): Promise<void> {
  await tx.execute(sql`
    insert into sync_changes (run_id, kind, person_id)
    select ${runId}, 'parked', m.person_id from memberships m
    where ${isMissing(runId, teamId)} and ${isNoneOf(kept)} order by m.person_id`)
}
