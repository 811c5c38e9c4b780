/** The copy of each person's newest invitation, which lists read. invitations/ writes the original. */
import { and, eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { people } from '../db/schema.ts'

export interface InvitationOf {
  id: number
  personId: number
}

const isNewestOf = ({ id, personId }: InvitationOf) => and(eq(people.id, personId), eq(people.invitationId, id))

export async function showExtended(tx: Db, invitation: InvitationOf, days: number): Promise<void> {
  await tx
    .update(people)
    .set({ invitationExpiresAt: sql`now() + make_interval(days => ${days})` })
    .where(isNewestOf(invitation))
}

export async function showRevoked(tx: Db, invitations: InvitationOf[]): Promise<void> {
  if (invitations.length === 0) return
  const column = (name: keyof InvitationOf) => sql`${sql.param(invitations.map(each => each[name]))}::bigint[]`
  await tx.execute(sql`
    update people p set invitation_revoked_at = now() from unnest(${column('id')}, ${column('personId')}) as r(id, person_id)
    where p.id = r.person_id and p.invitation_id = r.id`)
}

/** An invitation was revoked or deleted: `newestId` is the newest now, the same one if it was revoked, or none. */
export interface TakenBack extends InvitationOf {
  newestId: number | null
}

export async function showTakenBack(tx: Db, invitations: TakenBack[]): Promise<void> {
  if (invitations.length === 0) return
  const column = (name: keyof TakenBack) => sql`${sql.param(invitations.map(each => each[name]))}::bigint[]`
  await tx.execute(sql`
    update people p set invitation_id = n.newest_id, invitation_revoked_at = i.revoked_at,
      invited_at = case when n.newest_id = n.id then p.invited_at else i.created_at end,
      invitation_expires_at = case when n.newest_id = n.id then p.invitation_expires_at else i.expires_at end
    from unnest(${column('id')}, ${column('personId')}, ${column('newestId')}) as n(id, person_id, newest_id)
    left join invitations i on i.id = n.newest_id
    where p.id = n.person_id and p.invitation_id = n.id`)
}
