import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import { deactivatePeople } from '../invitations/deactivate.ts'

/** Also revokes invitations that they typed; the last owner stays. Returns who was deactivated; one event for all. */
export async function deactivateLeavers(tx: Db, ids: number[], actorId: number | null): Promise<number[]> {
  if (ids.length === 0) return []
  const { left } = await deactivatePeople(tx, ids, 'typed', 'the person has left the directory')
  if (left.length > 0) await recordEvent(tx, { kind: 'leavers-deactivated', actorId, details: { people: left.length } })
  return left
}
