import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { lockAddresses, requireRole } from '../../people/store.ts'
import { stopGroup } from '../../sync/decisions-store.ts'
import { lockGroup } from '../../sync/run-store.ts'
import { lockTeam } from '../../teams/store.ts'

/** Its team stays as one made by hand, or is deleted. */
export async function stopSyncing(
  db: Database,
  actorId: number,
  groupId: number,
  team: 'keep' | 'remove'
): Promise<{ outcome: 'stopped' | 'unknown' }> {
  return transaction(db, async tx => {
    const group = await lockGroup(tx, groupId)
    if (!group) return { outcome: 'unknown' }
    await lockTeam(tx, group.teamId)
    await lockAddresses(tx)
    await requireRole(tx, actorId, 'admin')
    await stopGroup(tx, groupId, group.teamId, team)
    await recordEvent(tx, { kind: 'group-stopped', actorId, details: { group: group.name, groupId, team } })
    return { outcome: 'stopped' }
  })
}
