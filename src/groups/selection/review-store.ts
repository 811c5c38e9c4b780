import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, oneOf, orNull, rowsOf, text } from '../../db/rows.ts'
import { whyNotInvited } from '../../people/conditions.ts'
import { type Outcome, outcomes } from './review.ts'

/** The first that fits wins, in the order of a batch's verdicts. */
const outcome = sql`case
  when t.person_id is null then 'left'
  when split_part(p.address_key, '@', -1) not in (select name from domains) then 'foreign'
  ${whyNotInvited(sql`p`, sql`u.address_key is not null`)}
  when p.disabled_in_directory_at is not null then 'disabled'
  else 'invite' end`
const from = (selected: SQL, teamId: number) => sql`
  ${selected} s join people p on p.id = s.person_id
  left join team_members t on t.team_id = ${teamId} and t.person_id = s.person_id and t.in_directory
  left join suppressions u on u.address_key = p.address_key`
const everybodyOf = (selectionId: number) => sql`(
  select person_id from selection_people where selection_id = ${selectionId}
)`

export async function countOutcomes(
  db: Db,
  selectionId: number,
  teamId: number
): Promise<Partial<Record<Outcome, number>>> {
  const rows = await rowsOf(db, { outcome: oneOf(outcomes), count: int })`
    select ${outcome} as outcome, count(*) as count from ${from(everybodyOf(selectionId), teamId)} group by 1`
  return Object.fromEntries(rows.map(row => [row.outcome, row.count]))
}

export interface Reviewed {
  id: number
  email: string
  name: string | null
  department: string | null
  title: string | null
  outcome: Outcome
}

const reviewedColumns = {
  id: int,
  email: text,
  name: orNull(text),
  department: orNull(text),
  title: orNull(text),
  outcome: oneOf(outcomes)
}

export async function listReviewed(
  db: Db,
  selectionId: number,
  teamId: number,
  wanted: Outcome,
  limit: number,
  after: number | null
): Promise<Reviewed[]> {
  // people who left the group are no longer members: they come first, by id
  const place = sql`coalesce(t.sort, ''), p.id`
  const before = sql`
    coalesce((select sort from team_members where team_id = ${teamId} and person_id = ${after}::bigint and in_directory), '')`
  const isLater = after === null ? sql`true` : sql`(${place}) > (${before}, ${after}::bigint)`
  return rowsOf(db, reviewedColumns)`
    select p.id, p.email, p.name, p.department, p.title, ${outcome} as outcome
    from ${from(everybodyOf(selectionId), teamId)} where ${outcome} = ${wanted} and ${isLater}
    order by ${place} limit ${limit}`
}

export interface SomeAddresses {
  emails: string[]
  last: number | null
}

/** The addresses for a batch, after `after`, without people who left the group or are disabled. */
export async function addressesOf(
  tx: Db,
  selectionId: number,
  teamId: number,
  limit: number,
  after: number
): Promise<SomeAddresses> {
  const some = sql`(
    select person_id from selection_people where selection_id = ${selectionId} and person_id > ${after}::bigint
    order by person_id limit ${limit}
  )`
  const rows = await rowsOf(tx, { id: int, email: text, outcome: oneOf(outcomes) })`
    select p.id, p.email, ${outcome} as outcome from ${from(some, teamId)} order by p.id`
  const last = rows.at(-1)
  const meant = rows.filter(row => row.outcome !== 'left' && row.outcome !== 'disabled')
  return { emails: meant.map(row => row.email), last: last?.id ?? null }
}
