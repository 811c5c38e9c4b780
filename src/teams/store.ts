import { and, asc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contains } from '../db/paged-search.ts'
import { directoryGroups, memberships, teams } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import type { MembershipSource } from './team.ts'

export type TeamRow = typeof teams.$inferSelect

export interface ListedTeam {
  id: number
  name: string
  source: 'directory' | 'hand'
  memberCount: number
  /** The group that it follows, while it is synced. */
  groupId: number | null
}

const isThere = isNull(teams.removedAt)
// written out: in a query of one table the column alone would be the group's
const groupOf = sql<number | null>`(
  select g.id from ${directoryGroups} g where g.team_id = teams.id and g.stopped_at is null
)`
const columns = {
  id: teams.id,
  name: teams.name,
  source: teams.source,
  memberCount: teams.memberCount,
  groupId: groupOf
}

export interface AfterTeam {
  name: string
  id: number
}

export async function listTeams(db: Db, q: string, limit: number, after?: AfterTeam): Promise<ListedTeam[]> {
  const name = sql`lower(${teams.name})`
  const isLater = after && sql`(${name}, ${teams.id}) > (lower(${after.name}), ${after.id}::bigint)`
  return db
    .select(columns)
    .from(teams)
    .where(and(isThere, q ? contains(name, q) : undefined, isLater))
    .orderBy(name, asc(teams.id))
    .limit(limit)
}

export async function findTeam(db: Db, id: number): Promise<ListedTeam | undefined> {
  const [row] = await db
    .select(columns)
    .from(teams)
    .where(and(eq(teams.id, id), isThere))
  return row
}

/** Locks a team's row until the transaction ends: every action on a team starts here. */
export async function lockTeam(tx: Db, id: number): Promise<TeamRow | undefined> {
  const [row] = await tx
    .select()
    .from(teams)
    .where(and(eq(teams.id, id), isThere))
    .for('update')
  return row
}

export async function teamNames(db: Db, limit: number): Promise<string[]> {
  const { id, name } = teams
  const rows = await db.select({ name }).from(teams).where(isThere).orderBy(sql`lower(${name})`, asc(id)).limit(limit)
  return rows.map(row => row.name)
}

/** The typed teams, by id or name, without blank ones. `problem`: which of them is not a team, or several. */
export async function findTeams(db: Db, typed: string[]): Promise<{ ids: number[]; problem: string | null }> {
  const ids: number[] = []
  for (const text of typed.map(each => each.trim()).filter(Boolean)) {
    const byId = /^[1-9]\d{0,14}$/.test(text) ? await findTeam(db, Number(text)) : undefined
    const isNamed = and(sql`lower(${teams.name}) = lower(${text})`, isThere)
    const found = byId ? [byId] : await db.select({ id: teams.id }).from(teams).where(isNamed).limit(2)
    if (found.length === 0) return { ids: [], problem: 'There is no such team.' }
    if (found.length > 1) return { ids: [], problem: 'Several teams have this name: enter the number in its address.' }
    ids.push(first(found).id)
  }
  return { ids: [...new Set(ids)], problem: null }
}

export async function insertTeam(
  tx: Db,
  team: { name: string; source: 'directory' | 'hand'; createdBy: number | null }
): Promise<number> {
  const row = first(await tx.insert(teams).values(team).returning({ id: teams.id }))
  return row.id
}

export async function updateTeam(
  tx: Db,
  id: number,
  changed: { name?: string; source?: 'directory' | 'hand' }
): Promise<void> {
  await tx.update(teams).set(changed).where(eq(teams.id, id))
}

export async function closeTeam(tx: Db, id: number): Promise<void> {
  await tx.delete(memberships).where(eq(memberships.teamId, id))
  await tx.update(teams).set({ removedAt: sql`now()`, memberCount: 0 }).where(eq(teams.id, id))
}

/** After changes of many members. Hold the team's lock. */
export async function recountTeam(tx: Db, id: number): Promise<void> {
  await tx
    .update(teams)
    .set({ memberCount: sql`(select count(distinct m.person_id) from ${memberships} m where m.team_id = ${id})` })
    .where(eq(teams.id, id))
}

export interface Reason {
  source: MembershipSource
  via: string | null
  since: Date
}

export interface MembershipOf extends Reason {
  teamId: number
  team: string
  groupId: number | null
}

export async function membershipsOf(db: Db, personId: number): Promise<MembershipOf[]> {
  const where: SQL | undefined = and(eq(memberships.personId, personId), isThere)
  return db
    .select({
      teamId: teams.id,
      team: teams.name,
      groupId: groupOf,
      source: memberships.source,
      via: memberships.via,
      since: memberships.since
    })
    .from(memberships)
    .innerJoin(teams, eq(teams.id, memberships.teamId))
    .where(where)
    .orderBy(sql`lower(${teams.name})`, teams.id, memberships.source)
    .limit(1000)
}
