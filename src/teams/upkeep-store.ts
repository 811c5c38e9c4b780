import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, rowsOf } from '../db/rows.ts'

/** Adds up what statements added since; one worker at a time. Unchanged teams are skipped. */
export async function compactTeamCounts(tx: Db): Promise<void> {
  const [row] = await rowsOf(tx, { mine: bool })`
    select pg_try_advisory_xact_lock(hashtext('rollcall:team-counts')) as mine`
  if (!row?.mine) return
  await tx.execute(sql`
    with touched as materialized (select distinct team_id from team_counts where not is_sum),
    gone as (delete from team_counts c using touched t where c.team_id = t.team_id returning c.*)
    insert into team_counts (team_id, stage, expires_at, people, is_sum)
    select team_id, stage, expires_at, sum(people), true from gone group by 1, 2, 3 having sum(people) <> 0`)
}

/** Repairs copies that simultaneous changes of membership and person missed; returns how many. */
export async function refreshMembers(db: Db): Promise<number> {
  const rows = await db.execute(sql`
    update team_members t set stage = p.stage, expires_at = p.invitation_expires_at, delivery = p.delivery
    from people p
    where p.id = t.person_id
      and (t.stage, t.expires_at, t.delivery) is distinct from (p.stage, p.invitation_expires_at, p.delivery)
    returning 1`)
  return rows.length
}
