/** Addresses that changed in the directory: noted on people, and moved in one step where possible. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { bool, int, orNull, rowsOf } from '../../db/rows.ts'
import { first } from '../../lib/ends.ts'
import { hasOpenInvitation } from '../../people/conditions.ts'

export interface WantedAddress {
  personId: number
  holderId: number | null
  isContested: boolean
}

const ofRun = (runId: number) => sql`planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
  where pl.run_id = ${runId} and not pl.is_excluded and pl.fault is null`
const list = (ids: readonly number[]) => sql`any(${sql.param([...ids])}::bigint[])`

/** Notes directory addresses that differ; returns the people whose note is new. */
export async function noteAddresses(tx: Db, runId: number): Promise<number[]> {
  const rows = await rowsOf(tx, { id: int })`
    with said as materialized (
      select pl.person_id, s.address, s.address_key from ${ofRun(runId)} and pl.wants_address
    ), same as (
      update people p set directory_mail = null, directory_mail_key = null
      from (select pl.person_id from ${ofRun(runId)} and not pl.wants_address and s.directory_id not like 'mail:%') now_same
      where p.id = now_same.person_id and p.directory_mail_key is not null
    ), noted as (
      update people p set directory_mail = s.address, directory_mail_key = s.address_key
      from said s where p.id = s.person_id and p.directory_mail_key is distinct from s.address_key
      returning p.id
    )
    select id from noted`
  return rows.map(({ id }) => id)
}

/** From this run and from others, so that a swap may span groups. */
const wanting = (runId: number) => sql`select p.id, p.directory_mail_key as key,
    not coalesce(r.is_disabled, p.disabled_in_directory_at is not null) as is_enabled,
    p.signed_up_at is null and not ${hasOpenInvitation(sql`p`)} as is_free
  from people p
  left join (select pl.person_id, s.is_disabled from ${ofRun(runId)} and pl.wants_address) r on r.person_id = p.id
  where p.directory_mail_key is not null and p.directory_id is not null
    and (p.gone_from_directory_at is null or r.person_id is not null)`

/** Moves for people without account or open invitation: links must not change hands. Hold `lockAddresses`. */
export async function wantedAddresses(tx: Db, runId: number): Promise<WantedAddress[]> {
  const [any] = await tx.execute(sql`select 1 from (${wanting(runId)}) w where is_free limit 1`)
  if (!any) return []
  await tx.execute(sql`
    select id from people where id in (select id from (${wanting(runId)}) w where is_free) order by id for no key update`)
  return rowsOf(tx, { personId: int, holderId: orNull(int), isContested: bool })`
    with wanting as materialized (${wanting(runId)}),
    claims as materialized (
      select key, count(*) as all_claims, count(*) filter (where is_enabled) as enabled_claims from wanting group by key
    ), newcomers as materialized (
      select s.address_key as key from planned pl join staging s on s.run_id = pl.run_id and s.n = pl.n
      where pl.run_id = ${runId} and not pl.is_excluded and (pl.is_new or pl.fault = 'taken')
    )
    select w.id as person_id, h.id as holder_id,
      case when w.is_enabled then c.enabled_claims > 1 else c.all_claims > 1 end
        or exists (select from newcomers n where n.key = w.key) as is_contested
    from wanting w join claims c on c.key = w.key
    left join people h on h.address_key = w.key
    where w.is_free order by w.id`
}

/** Frees the addresses of people who move, so that no two people ever share one. Invisible before the commit. */
export async function freeAddresses(tx: Db, runId: number, movers: readonly number[]): Promise<void> {
  if (movers.length === 0) return
  await tx.execute(sql`
    with wanted as materialized (
      select h.id from people w join people h on h.address_key = w.directory_mail_key where w.id = ${list(movers)}
      union select holder_id from planned where run_id = ${runId} and fault = 'taken' and not is_excluded
    )
    update people set address_key = 'moving ' || id where id = ${list(movers)} and id in (select id from wanted)`)
  await tx.execute(sql`
    update planned set fault = null, is_new = true, person_id = nextval('people_id_seq')
    where run_id = ${runId} and fault = 'taken' and not is_excluded and holder_id = ${list(movers)}`)
  await tx.execute(sql`
    update planned set takes_address = true where run_id = ${runId} and wants_address and person_id = ${list(movers)}`)
}

export async function moveOthers(tx: Db, runId: number, movers: readonly number[]): Promise<number> {
  if (movers.length === 0) return 0
  const row = first(
    await rowsOf(tx, { moved: int })`
    with others as materialized (
      select p.id, p.email, p.directory_mail, p.directory_mail_key from people p
      where p.id = ${list(movers)} and p.directory_mail_key is not null
    ), moved as (
      update people p set email = o.directory_mail, address_key = o.directory_mail_key, directory_mail = null,
        directory_mail_key = null
      from others o where p.id = o.id
    ), noted as (
      insert into sync_changes (run_id, kind, person_id, detail)
      select ${runId}, 'changed', id, 'address: ' || email || ' → ' || directory_mail from others order by id
    )
    select count(*) as moved from others`
  )
  return row.moved
}

/** Lists people whose new address in the directory was not taken, with the reason; returns how many. */
export async function noteKeptAddresses(tx: Db, runId: number, noted: readonly number[]): Promise<number> {
  if (noted.length === 0) return 0
  const rows = await tx.execute(sql`
    insert into sync_changes (run_id, kind, person_id, detail)
    select ${runId}, 'address', p.id, p.email || ' here, ' || p.directory_mail || ' in the directory: ' || case
        when p.signed_up_at is not null then 'a user keeps the address until an admin moves it'
        when ${hasOpenInvitation(sql`p`)} then 'the open invitation went to the one here'
        when h.id is not null then coalesce(h.name, h.email) || ' has that address here'
        else 'two entries have that address'
      end
    from people p left join people h on h.address_key = p.directory_mail_key
    where p.id = ${list(noted)} and p.directory_mail_key is not null order by p.id returning 1`)
  return rows.length
}
