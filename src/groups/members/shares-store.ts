import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, rowsOf } from '../../db/rows.ts'
import { isWaiting } from '../../people/conditions.ts'

/** How many people the directory put in each of these teams, and how many have an open invitation or signed up. */
export interface TeamShares {
  people: number
  waiting: number
  signedUp: number
}

export async function sharesOf(db: Db, teamIds: number[]): Promise<Map<number, TeamShares>> {
  const rows = await rowsOf(db, { teamId: int, people: int, waiting: int, signedUp: int })`
    select team_id, sum(people) as people, coalesce(sum(people) filter (where ${isWaiting(sql`stage`, sql`expires_at`)}), 0) as waiting,
      coalesce(sum(people) filter (where stage = 'signed-up'), 0) as signed_up
    from team_counts where team_id = any(${sql.param(teamIds)}::bigint[]) group by team_id`
  return new Map(rows.map(({ teamId, ...shares }) => [teamId, shares]))
}
