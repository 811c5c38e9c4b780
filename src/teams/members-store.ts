/** Who is in a team: lists, and changes by hand and by invitation. Those of a sync are in sync/. */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contains } from '../db/paged-search.ts'
import { bool, int, listOf, oneOf, orNull, rowsOf, text } from '../db/rows.ts'
import {
  batchTeams,
  deliveryStates,
  membershipSources,
  memberships,
  people,
  suppressionCauses,
  teams
} from '../db/schema.ts'
import { enrollmentOf } from '../people/conditions.ts'
import { type Enrollment, enrollments } from '../people/person.ts'
import type { DeliveryState, Suppressed } from '../people/store.ts'
import type { MembershipSource } from './team.ts'

export interface Member {
  personId: number
  email: string
  name: string | null
  enrollment: Enrollment
  delivery: DeliveryState | null
  isKept: boolean
  suppression: Suppressed
  sources: MembershipSource[]
  since: Date
  sort: string
}

const memberColumns = {
  personId: int,
  email: text,
  name: orNull(text),
  enrollment: oneOf(enrollments),
  delivery: orNull(oneOf(deliveryStates)),
  isKept: bool,
  suppression: orNull(oneOf(suppressionCauses)),
  sources: listOf(oneOf(membershipSources)),
  since: text,
  sort: text
}

/** One page of a team's people by name, each once, after `after`; `q` is contained in name, address or title. */
export async function listMembers(
  db: Db,
  teamId: number,
  q: string,
  limit: number,
  after: { sort: string; personId: number } = { sort: '', personId: 0 }
): Promise<Member[]> {
  const rows = await rowsOf(db, memberColumns)`
    select people.id as person_id, people.email, people.name, ${enrollmentOf(people)} as enrollment, people.delivery, people.delivery_is_kept as is_kept, people.suppression, m.sources, m.since, x.sort
    from (
      select t.person_id, t.sort from team_members t
      where t.team_id = ${teamId} and ${q ? contains(sql`t.searched`, q) : sql`true`}
        and (t.sort, t.person_id) > (${after.sort}, ${after.personId}::bigint)
      order by t.sort, t.person_id limit ${limit}
    ) x
    join ${people} on people.id = x.person_id
    cross join lateral (
      select array_agg(source order by source) as sources, min(since) as since
      from ${memberships} where team_id = ${teamId} and person_id = x.person_id
    ) m
    order by x.sort, x.person_id`
  return rows.map(row => ({ ...row, since: new Date(row.since) }))
}

/** Where a list continues after a person: nothing when they are no longer in the team. */
export async function placeOf(db: Db, teamId: number, personId: number) {
  const [row] = await rowsOf(db, { sort: text })`
    select sort from team_members where team_id = ${teamId} and person_id = ${personId}`
  return row && { sort: row.sort, personId }
}

/** False when the membership existed already. Updates the team's count. */
export async function insertMembership(
  tx: Db,
  membership: { teamId: number; personId: number; source: 'hand' | 'invitation' | 'sign-in'; addedBy: number | null }
): Promise<boolean> {
  const { teamId, personId, source, addedBy } = membership
  const rows = await tx.execute(sql`
    with before as (
      select count(*) as reasons from ${memberships} where team_id = ${teamId} and person_id = ${personId}
    ), written as (
      insert into ${memberships} (team_id, person_id, source, added_by)
      values (${teamId}, ${personId}, ${source}, ${addedBy}) on conflict do nothing returning 1
    ), counted as (
      update ${teams} set member_count = member_count + 1 from before, written
      where id = ${teamId} and before.reasons = 0
    )
    select from written`)
  return rows.length > 0
}

/** False when the membership did not exist. Updates the team's count. */
export async function deleteMembership(
  tx: Db,
  teamId: number,
  personId: number,
  source: 'hand' | 'invitation' | 'sign-in'
): Promise<boolean> {
  const rows = await tx.execute(sql`
    with gone as (
      delete from ${memberships} where team_id = ${teamId} and person_id = ${personId} and source = ${source} returning 1
    ), counted as (
      update ${teams} set member_count = member_count - 1 from gone
      where id = ${teamId} and not exists (
        select from ${memberships} where team_id = ${teamId} and person_id = ${personId} and source <> ${source}
      )
    )
    select from gone`)
  return rows.length > 0
}

/** People who accept the batch's invitations join these teams. */
export async function nameTeams(tx: Db, batchId: number, teamIds: Iterable<number>): Promise<void> {
  const rows = [...new Set(teamIds)].map(teamId => ({ batchId, teamId }))
  if (rows.length > 0) await tx.insert(batchTeams).values(rows).onConflictDoNothing()
}

/** Corrected lines of a batch are for the same teams. */
export async function copyTeams(tx: Db, fromBatchId: number, batchId: number): Promise<void> {
  await tx.execute(sql`
    insert into ${batchTeams} (batch_id, team_id)
    select ${batchId}, team_id from ${batchTeams} where batch_id = ${fromBatchId} on conflict do nothing`)
}

/** Locks a batch's teams, in the usual order: before any person's row, as a sync does. */
export async function lockTeamsOf(tx: Db, batchId: number): Promise<void> {
  await tx.execute(sql`
    select from ${teams} t where t.id in (select team_id from ${batchTeams} where batch_id = ${batchId})
    order by t.id for no key update`)
}

export async function joinTeamsOf(tx: Db, batchId: number, personId: number): Promise<void> {
  const rows = await rowsOf(tx, { id: int })`
    select t.id from ${batchTeams} b join ${teams} t on t.id = b.team_id and t.removed_at is null
    where b.batch_id = ${batchId} order by t.id`
  for (const { id } of rows) await insertMembership(tx, { teamId: id, personId, source: 'invitation', addedBy: null })
}
