import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { violatedUnique } from '../db/faults.ts'
import { readName } from '../lib/name.ts'
import { requireRole } from '../people/store.ts'
import { closeTeam, insertTeam, lockTeam, updateTeam } from './store.ts'

export type ReviseOutcome =
  | { outcome: 'done'; teamId: number }
  | { outcome: 'unknown' }
  | { outcome: 'refused'; problem: string }
  | { outcome: 'from-directory' }

const noName: ReviseOutcome = { outcome: 'refused', problem: 'Enter a name of up to 200 visible characters.' }

/** Such teams have unique names, ignoring case. */
export async function createTeam(db: Database, actorId: number, typed: string): Promise<ReviseOutcome> {
  const name = readName(typed)
  if (name === undefined) return noName
  return unlessTaken(() =>
    transaction(db, async tx => {
      await requireRole(tx, actorId, 'admin')
      const teamId = await insertTeam(tx, { name, source: 'hand', createdBy: actorId })
      await recordEvent(tx, { kind: 'team-created', actorId, details: { team: name, teamId } })
      return { outcome: 'done', teamId }
    })
  )
}

export async function renameTeam(db: Database, actorId: number, id: number, typed: string): Promise<ReviseOutcome> {
  const name = readName(typed)
  if (name === undefined) return noName
  return unlessTaken(() =>
    transaction(db, async tx => {
      const team = await lockTeam(tx, id)
      if (!team) return { outcome: 'unknown' }
      await requireRole(tx, actorId, 'admin')
      if (team.source === 'directory') return { outcome: 'from-directory' }
      await updateTeam(tx, id, { name })
      const details = { team: name, before: team.name, teamId: id }
      if (name !== team.name) await recordEvent(tx, { kind: 'team-renamed', actorId, details })
      return { outcome: 'done', teamId: id }
    })
  )
}

/** Deletes the team and all memberships; no one is deactivated. */
export async function removeTeam(db: Database, actorId: number, id: number): Promise<ReviseOutcome> {
  return transaction(db, async tx => {
    const team = await lockTeam(tx, id)
    if (!team) return { outcome: 'unknown' }
    await requireRole(tx, actorId, 'admin')
    if (team.source === 'directory') return { outcome: 'from-directory' }
    await closeTeam(tx, id)
    await recordEvent(tx, { kind: 'team-removed', actorId, details: { team: team.name, teamId: id } })
    return { outcome: 'done', teamId: id }
  })
}

async function unlessTaken(act: () => Promise<ReviseOutcome>): Promise<ReviseOutcome> {
  try {
    return await act()
  } catch (error) {
    if (violatedUnique(error) !== 'teams_hand_name') throw error
    return { outcome: 'refused', problem: 'A team with that name already exists.' }
  }
}
