import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'

/**
 * Takes back open invitations that no mail ever left for. To their people it is as if they had not been made, so the
 * invitation before is the newest again; one whose link an admin had shown is revoked like any other.
 */
export async function withdrawUnsent(tx: Db, ids: number[]): Promise<void> {
  if (ids.length === 0) return
  const rows = await tx.execute<{ before_id: string | null }>(sql`
    with revoked as (
      update invitations set revoked_at = now(), never_sent = not exists (
        select from events e
        where e.person_id = invitations.person_id and e.kind = 'link-shown' and e.at >= invitations.created_at
      )
      where id = any(${sql.param(ids)}::bigint[]) and accepted_at is null and revoked_at is null and superseded_at is null
        and not exists (
          select from deliveries d where d.person_id = invitations.person_id and d.invitation_id = invitations.id
            and d.state in ('queued', 'sending', 'held', 'sent', 'deferred', 'unknown')
        )
      returning id, person_id, never_sent, revoked_at
    ), newest as (
      select r.person_id, r.id, i.id as now_id, i.created_at, i.expires_at, i.revoked_at from revoked r
      left join lateral (
        select * from invitations where person_id = r.person_id and id < r.id and not never_sent order by id desc limit 1
      ) i on true where r.never_sent
      union all select person_id, id, id, null, null, revoked_at from revoked where not never_sent
    ), person as (
      update people p set invitation_id = n.now_id, invitation_revoked_at = n.revoked_at,
        invited_at = case when n.now_id = n.id then p.invited_at else n.created_at end,
        invitation_expires_at = case when n.now_id = n.id then p.invitation_expires_at else n.expires_at end
      from newest n where p.id = n.person_id and p.invitation_id = n.id
    )
    select now_id as before_id from newest where now_id <> id`)
  const before = rows.map(row => Number(row.before_id))
  if (before.length > 0)
    await tx.execute(sql`
      update invitations set superseded_at = null where id = any(${sql.param(before)}::bigint[]) and accepted_at is null`)
}
