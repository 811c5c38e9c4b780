import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { findPersonByKey, requireRole } from '../people/store.ts'
import { deleteMembership, insertMembership } from './members-store.ts'
import { lockTeam } from './store.ts'

export type MemberOutcome =
  | { outcome: 'done'; personId: number }
  | { outcome: 'unknown' }
  | { outcome: 'refused'; problem: string }

/** Adds a known person to a team by hand; a sync of the team's group leaves them there. */
export async function addByHand(db: Database, actorId: number, teamId: number, typed: string): Promise<MemberOutcome> {
  const parsed = parseAddress(typed.trim())
  if ('fault' in parsed) return { outcome: 'refused', problem: 'Enter the email address of one person.' }
  return transaction(db, async tx => {
    const team = await lockTeam(tx, teamId)
    if (!team) return { outcome: 'unknown' }
    await requireRole(tx, actorId, 'admin')
    const personId = await findPersonByKey(tx, parsed.key)
    if (personId === undefined)
      return { outcome: 'refused', problem: 'No one has this address yet. Invite them first.' }
    const isNew = await insertMembership(tx, { teamId, personId, source: 'hand', addedBy: actorId })
    if (!isNew) return { outcome: 'refused', problem: 'This person was already added by hand.' }
    await recordEvent(tx, { kind: 'team-joined', actorId, personId, details: { team: team.name, teamId } })
    return { outcome: 'done', personId }
  })
}

/** Removes what hands and invitations did; the directory's membership stays. */
export async function takeOutByHand(
  db: Database,
  actorId: number,
  teamId: number,
  personId: number
): Promise<MemberOutcome> {
  return transaction(db, async tx => {
    const team = await lockTeam(tx, teamId)
    if (!team) return { outcome: 'unknown' }
    await requireRole(tx, actorId, 'admin')
    const byHand = await deleteMembership(tx, teamId, personId, 'hand')
    const byInvitation = await deleteMembership(tx, teamId, personId, 'invitation')
    if (!byHand && !byInvitation) return { outcome: 'refused', problem: 'This person was not added by hand.' }
    await recordEvent(tx, { kind: 'team-left', actorId, personId, details: { team: team.name, teamId } })
    return { outcome: 'done', personId }
  })
}
