import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, orNull, rowsOf } from '../db/rows.ts'
import { showTakenBack } from '../people/newest-invitation-store.ts'
import { isUnanswered } from './conditions.ts'

/** Deletes open invitations that were never sent: the one before is the newest again. Links shown are revoked. */
export async function withdrawUnsent(tx: Db, ids: number[]): Promise<void> {
  if (ids.length === 0) return
  const takenBack = await rowsOf(tx, { id: int, personId: int, newestId: orNull(int) })`
    with revoked as (
      update invitations set revoked_at = now(), never_sent = not exists (
        select from events e
        where e.person_id = invitations.person_id and e.kind = 'link-shown' and e.at >= invitations.created_at
      )
      where id = any(${sql.param(ids)}::bigint[]) and ${isUnanswered(sql`invitations`)}
        and not exists (
          select from deliveries d where d.person_id = invitations.person_id and d.invitation_id = invitations.id
            and d.state in ('queued', 'sending', 'held', 'sent', 'deferred', 'unknown')
        )
      returning id, person_id, never_sent, revoked_at
    )
    select r.id, r.person_id, case when r.never_sent then (
      select i.id from invitations i where i.person_id = r.person_id and i.id < r.id and not i.never_sent
      order by i.id desc limit 1
    ) else r.id end as newest_id from revoked r`
  await showTakenBack(tx, takenBack)
  const before = takenBack.flatMap(({ id, newestId }) => (newestId === null || newestId === id ? [] : [newestId]))
  if (before.length > 0)
    await tx.execute(sql`
      update invitations set superseded_at = null where id = any(${sql.param(before)}::bigint[]) and accepted_at is null`)
}
