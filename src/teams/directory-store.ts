import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, rowsOf } from '../db/rows.ts'
import { closeTeam, insertTeam, lockTeam, recountTeam } from './store.ts'

/** `teamId`, if it still exists, or a new team. Returns its id. */
export async function followGroup(
  tx: Db,
  teamId: number | undefined,
  team: { name: string; createdBy: number }
): Promise<number> {
  const [row] = await rowsOf(tx, { id: int })`
    update teams set source = 'directory', name = ${team.name}
    where id = ${teamId ?? 0} and removed_at is null returning id`
  return row ? row.id : insertTeam(tx, { ...team, source: 'directory' })
}

/** If the team stays, it is one made by hand, with its present members. */
export async function stopFollowing(tx: Db, teamId: number, team: 'keep' | 'remove'): Promise<void> {
  if (team === 'remove') return closeTeam(tx, teamId)
  await tx.execute(sql`
    insert into memberships (team_id, person_id, source, via, since)
    select team_id, person_id, 'hand', 'kept', since from memberships where team_id = ${teamId} and source = 'directory'
    on conflict do nothing`)
  await tx.execute(sql`delete from memberships where team_id = ${teamId} and source = 'directory'`)
  // teams made by hand have unique names
  await tx.execute(sql`
    update teams t set source = 'hand', name = case
      when exists (
        select from teams o where lower(o.name) = lower(t.name) and o.source = 'hand' and o.removed_at is null and o.id <> t.id
      ) then t.name || ' (' || t.id || ')' else t.name end
    where t.id = ${teamId}`)
}

/** Ends these people's memberships by the directory. Returns who had one. */
export async function removeByDirectory(tx: Db, teamId: number, personIds: number[]): Promise<number[]> {
  const rows = await rowsOf(tx, { personId: int })`
    delete from memberships m using unnest(${sql.param(personIds)}::bigint[]) as gone(person_id)
    where m.team_id = ${teamId} and m.source = 'directory' and m.person_id = gone.person_id
    returning m.person_id`
  await recountTeam(tx, teamId)
  return rows.map(row => row.personId)
}

/** Puts people back by hand, unless the directory has put them back. Returns how many. */
export async function putBackByHand(
  tx: Db,
  teamId: number,
  personIds: number[],
  { via, addedBy }: { via: string; addedBy: number }
): Promise<number> {
  const rows = await tx.execute(sql`
    insert into memberships (team_id, person_id, source, via, added_by)
    select distinct ${teamId}::bigint, back.person_id, 'hand', ${via}, ${addedBy}::bigint
    from unnest(${sql.param(personIds)}::bigint[]) as back(person_id)
    where not exists (
      select from memberships m where m.team_id = ${teamId} and m.person_id = back.person_id and m.source = 'directory'
    )
    on conflict do nothing returning person_id`)
  await recountTeam(tx, teamId)
  return rows.length
}

/** Locks the teams that a person is in for reasons other than the directory, by id. */
export async function lockOwnTeams(tx: Db, personId: number): Promise<number[]> {
  const rows = await rowsOf(tx, { teamId: int })`
    select distinct team_id from memberships where person_id = ${personId} and source <> 'directory' order by team_id`
  const ids = rows.map(({ teamId }) => teamId)
  for (const id of ids) await lockTeam(tx, id)
  return ids
}

/** Ends these reasons of a person. Hold the locks of the teams. */
export async function leaveOwnTeams(tx: Db, personId: number, teamIds: number[]): Promise<void> {
  await tx.execute(sql`delete from memberships where person_id = ${personId} and source <> 'directory'`)
  for (const id of teamIds) await recountTeam(tx, id)
}
