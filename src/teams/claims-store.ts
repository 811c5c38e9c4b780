/** Memberships that a provider names at sign-in. They never touch those of another source. */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { teams } from '../db/schema.ts'
import { deleteMembership, insertMembership } from './members-store.ts'

export interface NamedTeam {
  id: number
  name: string
}

/** Locks the teams with these names, in the usual order; a name that no team has is left out. */
export async function lockTeamsNamed(tx: Db, names: readonly string[]): Promise<NamedTeam[]> {
  const wanted = sql.param(names.map(name => name.toLowerCase()))
  return tx
    .select({ id: teams.id, name: teams.name })
    .from(teams)
    .where(sql`${teams.removedAt} is null and lower(${teams.name}) = any(${wanted}::text[])`)
    .orderBy(teams.id)
    .for('no key update')
}

/** Puts a person into the `named` ones of the mapped teams, and out of the others if a claim had put them in. */
export async function applyClaims(
  tx: Db,
  personId: number,
  mapped: readonly NamedTeam[],
  named: ReadonlySet<number>
): Promise<{ added: number; removed: number }> {
  const changes = { added: 0, removed: 0 }
  for (const { id: teamId } of mapped) {
    const isNamed = named.has(teamId)
    const isChanged = isNamed
      ? await insertMembership(tx, { teamId, personId, source: 'sign-in', addedBy: null })
      : await deleteMembership(tx, teamId, personId, 'sign-in')
    if (isChanged) changes[isNamed ? 'added' : 'removed'] += 1
  }
  return changes
}
