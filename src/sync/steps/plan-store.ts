import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, orNull, type RowOf, rowsOf, text } from '../../db/rows.ts'
import { first } from '../../lib/ends.ts'
import { hasOpenInvitation } from '../../people/conditions.ts'

/** Finds each entry's person by stable id, else by address if they have no entry, else a new one (decision 13). */
export async function plan(tx: Db, runId: number): Promise<void> {
  await prepareToPlan(tx)
  await tx.execute(sql`
    insert into planned (run_id, n, person_id, is_new, wants_address, holder_id, is_excluded, fault)
    with known as (
      ${peopleBehind(runId)}
    ), chosen as (
      select *,
        case
          when own_id is not null and same_id <> own_id and is_free and nth = 1 and not is_bound then same_id
          when own_id is not null then own_id
          when same_id is not null and nth = 1 and is_free then same_id
        end as person_id,
        case
          when own_id is not null then null
          when address_key is null then case when mail is null then 'no-mail' else 'malformed' end
          when nth > 1 then 'doubled'
          when same_id is not null and not is_free then 'taken'
        end as fault
      from known
    ), once as (
      select *, row_number() over (partition by person_id order by own_id is not distinct from person_id desc, n) as nth_of_person
      from chosen
    ), settled as (
      select n, own_id, own_key, same_id, address_key, is_excluded,
        case when nth_of_person = 1 then person_id end as person_id,
        case when person_id is not null and nth_of_person > 1 then 'doubled' else fault end as fault
      from once
    )
    select ${runId}, n,
      coalesce(person_id, case when fault is null and not is_excluded then nextval('people_id_seq') end),
      person_id is null and fault is null and not is_excluded,
      coalesce(own_id = person_id and address_key <> own_key and not is_excluded, false),
      case when fault in ('taken', 'doubled') then same_id end,
      is_excluded, case when not is_excluded then fault end
    from settled`)
  await tx.execute(sql`analyze planned (run_id, n, person_id)`)
}

async function prepareToPlan(tx: Db) {
  // a few rows tell how many there are and how they spread; full statistics would take longer than the plan
  await tx.execute(sql`set local default_statistics_target = 10`)
  await tx.execute(sql`set local work_mem = '64MB'`)
  await tx.execute(sql`analyze staging (run_id, n, directory_id, address_key)`)
}

const peopleBehind = (runId: number) => sql`
  select s.n, s.mail, s.address_key, s.is_excluded, own.id as own_id, own.address_key as own_key,
    own.signed_up_at is not null or ${hasOpenInvitation(sql`own`)} as is_bound,
    same.id as same_id,
    same.directory_id is null and same.directory_separated_at is null or s.directory_id like 'mail:%' as is_free,
    row_number() over (partition by s.address_key collate "C" order by s.is_excluded, own.id is null, s.is_disabled, s.n) as nth
  from staging s
  left join people own on own.directory_id = s.directory_id
  left join people same on same.address_key = s.address_key
  where s.run_id = ${runId}`

/** A crash of the database empties both tables: then nothing may be applied. */
export async function countPlanned(tx: Db, runId: number): Promise<{ staged: number; planned: number }> {
  return first(
    await rowsOf(tx, { staged: int, planned: int })`
    select (select count(*) from staging where run_id = ${runId}) as staged,
      (select count(*) from planned where run_id = ${runId}) as planned`
  )
}

export const isMissing = (runId: number, teamId: number) => sql`m.team_id = ${teamId} and m.source = 'directory'
  and not exists (select from planned pl where pl.run_id = ${runId} and pl.person_id = m.person_id)`

export interface MissingPerson {
  id: number
  email: string
  directoryId: string | null
  dn: string | null
  via: string | null
}

export async function missingPeople(
  db: Db,
  runId: number,
  teamId: number,
  limit: number,
  after = 0
): Promise<MissingPerson[]> {
  return rowsOf(db, { id: int, email: text, directoryId: orNull(text), dn: orNull(text), via: orNull(text) })`
    select p.id, p.email, p.directory_id, p.directory_dn as dn, m.via
      from memberships m join people p on p.id = m.person_id
      where ${isMissing(runId, teamId)} and m.person_id > ${after} order by p.id limit ${limit}`
}

const planCounts = {
  people: int,
  noMail: int,
  malformed: int,
  doubled: int,
  taken: int,
  foreign: int,
  disabled: int,
  excluded: int
}
export type PlanCounts = RowOf<typeof planCounts>

export async function countPlan(tx: Db, runId: number): Promise<PlanCounts> {
  return first(
    await rowsOf(tx, planCounts)`
    select count(*) filter (where pl.fault is null and not pl.is_excluded) as people,
      count(*) filter (where pl.fault = 'no-mail') as "noMail",
      count(*) filter (where pl.fault = 'malformed') as malformed,
      count(*) filter (where pl.fault = 'doubled') as doubled,
      count(*) filter (where pl.fault = 'taken') as taken,
      count(*) filter (where s.address is not null and d.name is null) as "foreign",
      count(*) filter (where s.is_disabled) as disabled,
      count(*) filter (where s.is_excluded) as excluded
    from planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
    left join domains d on d.name = split_part(s.address, '@', 2)
    where pl.run_id = ${runId}`
  )
}

/** What only the applying transaction knows: entries that stay out, and people who keep another address. */
export async function countOpen(tx: Db, runId: number): Promise<{ taken: number; otherAddress: number }> {
  return first(
    await rowsOf(tx, { taken: int, otherAddress: int })`
    select count(*) filter (where fault = 'taken') as taken,
      count(*) filter (where wants_address and not takes_address) as other_address
    from planned where run_id = ${runId}`
  )
}

export async function replaceLeftOut(tx: Db, runId: number, groupId: number): Promise<void> {
  await tx.execute(sql`delete from left_out where group_id = ${groupId}`)
  await tx.execute(sql`
    insert into left_out (group_id, directory_id, reason, name, dn, mail, person_id)
    select ${groupId}, s.directory_id, pl.fault, s.name, s.dn, s.mail, pl.holder_id
    from planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
    where pl.run_id = ${runId} and pl.fault is not null
    on conflict do nothing`)
}
