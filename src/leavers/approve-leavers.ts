import { type Database, transaction } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { lockAddresses, lockOwners, requireRole } from '../people/store.ts'
import { deactivateLeavers } from './deactivate-leavers.ts'
import type { Leaver } from './leavers-store.ts'
import { leaversToLetGo } from './to-let-go.ts'

export type ApproveOutcome = { outcome: 'done'; people: number } | { outcome: 'none' }

/** Admins decide about members and auditors, owners about everyone, as when they deactivate one person. */
export const mayLetGo = (actor: Role, { role }: Pick<Leaver, 'role'>) =>
  actor === 'owner' || (actor === 'admin' && !includesRole(role, 'admin'))

/** Deactivates the waiting leavers who had left by `until`: the people that the page showed and no others. */
export async function approveLeavers(db: Database, actorId: number, until: string): Promise<ApproveOutcome> {
  return transaction(db, async tx => {
    await lockOwners(tx)
    await lockAddresses(tx)
    const role = await requireRole(tx, actorId, 'admin')
    const mine = (await leaversToLetGo(tx, { until })).filter(leaver => mayLetGo(role, leaver))
    const people = await deactivateLeavers(
      tx,
      mine.map(({ id }) => id),
      actorId
    )
    return people.length > 0 ? { outcome: 'done', people: people.length } : { outcome: 'none' }
  })
}
