/** Who will be in a team after joining: the open invitations of the batches that name it. */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, orNull, rowsOf, text } from '../db/rows.ts'
import { first } from '../lib/ends.ts'
import { hasOpenInvitation } from '../people/conditions.ts'

export interface Pending {
  personId: number
  email: string
  name: string | null
  invitedAt: Date
  expiresAt: Date
}

/** The people `p` whose invitation `d` names the team and is open, and who are not in the team already. */
const pendingOf = (teamId: number) => sql`
  batch_teams t join deliveries d on d.batch_id = t.batch_id
  join people p on p.id = d.person_id and p.invitation_id = d.invitation_id
  where t.team_id = ${teamId} and ${hasOpenInvitation(sql`p`)}
    and not exists (select from team_members m where m.team_id = ${teamId} and m.person_id = p.id)`

export async function countPending(db: Db, teamId: number): Promise<number> {
  return first(await rowsOf(db, { n: int })`select count(*) as n from ${pendingOf(teamId)}`).n
}

const pendingColumns = { personId: int, email: text, name: orNull(text), invitedAt: text, expiresAt: text }

export async function listPending(db: Db, teamId: number, limit: number, after = 0): Promise<Pending[]> {
  const rows = await rowsOf(db, pendingColumns)`
    select p.id as person_id, p.email, p.name, p.invited_at, p.invitation_expires_at as expires_at
    from ${pendingOf(teamId)} and p.id > ${after}::bigint order by p.id limit ${limit}`
  return rows.map(row => ({ ...row, invitedAt: new Date(row.invitedAt), expiresAt: new Date(row.expiresAt) }))
}

export async function teamsOfBatch(db: Db, batchId: number): Promise<{ id: number; name: string }[]> {
  return rowsOf(db, { id: int, name: text })`
    select t.id, t.name from batch_teams b join teams t on t.id = b.team_id and t.removed_at is null
    where b.batch_id = ${batchId} order by lower(t.name), t.id limit 100`
}
