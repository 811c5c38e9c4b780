/** What would become of each person of a selection if it was sent now. */
import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import type { Outcome } from './review.ts'

const domain = sql`substring(p.address_key from '[^@]*$')`
/** The first that fits wins, in the order of the verdicts of a batch. */
const outcome = sql`case
  when t.person_id is null then 'left'
  when not exists (select from domains d where d.name = ${domain}) then 'foreign'
  when p.deactivated_at is not null then 'deactivated'
  when p.signed_up_at is not null then 'active'
  when u.address_key is not null then 'suppressed'
  when p.invitation_id is not null and p.invitation_revoked_at is null and p.invitation_expires_at > now() then 'pending'
  when p.disabled_in_directory_at is not null then 'disabled'
  else 'invite' end`
const from = (selectionId: number, teamId: number) => sql`
  selection_people s join people p on p.id = s.person_id
  left join team_members t on t.team_id = ${teamId} and t.person_id = s.person_id and t.in_directory
  left join suppressions u on u.address_key = p.address_key
  where s.selection_id = ${selectionId}`

export async function countOutcomes(
  db: Db,
  selectionId: number,
  teamId: number
): Promise<Partial<Record<Outcome, number>>> {
  const rows = await db.execute<{ outcome: Outcome; count: string }>(
    sql`select ${outcome} as outcome, count(*) as count from ${from(selectionId, teamId)} group by 1`
  )
  return Object.fromEntries(rows.map(row => [row.outcome, Number(row.count)]))
}

export interface Reviewed {
  id: number
  email: string
  name: string | null
  department: string | null
  title: string | null
  outcome: Outcome
  sort: string
}

/** One page of the selection's people with that outcome, by name, after `after`. */
export async function listReviewed(
  db: Db,
  selectionId: number,
  teamId: number,
  wanted: Outcome,
  limit: number,
  after: number | null
): Promise<Reviewed[]> {
  const place = (row: SQL) => sql`sorted_name(coalesce(${row}.name, ${row}.email)) collate "C", ${row}.id`
  const isLater =
    after === null
      ? sql`true`
      : sql`(${place(sql`p`)}) > (select ${place(sql`a`)} from people a where a.id = ${after}::bigint)`
  const rows = await db.execute<Omit<Reviewed, 'id'> & { id: string }>(sql`
    select p.id, p.email, p.name, p.department, p.title, ${outcome} as outcome
    from ${from(selectionId, teamId)} and ${outcome} = ${wanted} and ${isLater}
    order by ${place(sql`p`)} limit ${limit}`)
  return rows.map(row => ({ ...row, id: Number(row.id) }))
}

/** The addresses that a batch is made of: of everybody but who has left the group or is disabled, by id, after `after`. */
export async function addressesOf(
  tx: Db,
  selectionId: number,
  teamId: number,
  limit: number,
  after: number
): Promise<{ id: number; email: string }[]> {
  const rows = await tx.execute<{ id: string; email: string }>(sql`
    select p.id, p.email from ${from(selectionId, teamId)} and ${outcome} not in ('left', 'disabled')
      and s.person_id > ${after}::bigint
    order by s.person_id limit ${limit}`)
  return rows.map(row => ({ id: Number(row.id), email: row.email }))
}
