/** Synced groups with their members, as a sync leaves them; no directory is asked. */
import type { Database } from '../../src/db/client.ts'
import { one, sql } from './people.ts'

export interface NewMember {
  name?: string
  email: string
  department?: string
  title?: string
  isDisabled?: boolean
}

export interface TestGroup {
  id: number
  teamId: number
  /** Ids by the part before the @ sign. */
  people: Record<string, number>
}

let groups = 0

/** A synced group, its team, one good run, and its members; existing people do not change. */
export async function addGroup(db: Database, name: string, members: readonly NewMember[] = []): Promise<TestGroup> {
  groups += 1
  const mail = `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}@larkfield.example`
  const { id: team } = await one<{ id: number }>(
    db,
    sql`insert into teams (name, source) values (${name}, 'directory') returning id`
  )
  const { id: group } = await one<{ id: number }>(
    db,
    sql`insert into directory_groups (directory_id, dn, name, mail, kind, team_id, next_run_at)
      values (${`id-${groups}`}, ${`cn=${name},ou=Groups,dc=larkfield,dc=example`}, ${name}, ${mail}, 'distribution-list', ${team},
        now() + interval '1 day') returning id`
  )
  const { id: run } = await one<{ id: number }>(
    db,
    sql`insert into sync_runs (group_id, state, cause, finished_at, added) values (${group}, 'done', 'start', now(), ${members.length}) returning id`
  )
  await db.execute(
    sql`update directory_groups set last_run_id = ${run}, last_good_run_id = ${run}, last_good_at = now() where id = ${group}`
  )
  const people = await addMembers(db, team, members)
  return { id: group, teamId: team, people }
}

/** Members as a sync would add them. */
export async function addMembers(db: Database, teamId: number, members: readonly NewMember[]) {
  const people: Record<string, number> = {}
  for (const { email, name = null, department = null, title = null, isDisabled = false } of members) {
    const { id } = await one<{ id: number }>(
      db,
      sql`insert into people (email, address_key, name, department, title, disabled_in_directory_at)
        values (${email}, lower(${email}), ${name}, ${department}, ${title}, ${isDisabled ? sql`now()` : null})
        on conflict (address_key) do update set name = coalesce(people.name, excluded.name), department = excluded.department,
          title = excluded.title, disabled_in_directory_at = excluded.disabled_in_directory_at
        returning id`
    )
    people[email.split('@')[0]!] = id
  }
  const ids = sql.param(Object.values(people))
  await db.execute(
    sql`insert into memberships (team_id, person_id, source) select ${teamId}, id, 'directory' from unnest(${ids}::bigint[]) id`
  )
  const count = sql`(select count(distinct person_id) from memberships where team_id = ${teamId})`
  await db.execute(sql`update teams set member_count = ${count} where id = ${teamId}`)
  await db.execute(sql`update directory_groups set member_count = ${count} where team_id = ${teamId}`)
  return people
}
