import { type Database, transaction } from '../../db/client.ts'
import { includesRole, type Role } from '../../lib/role.ts'
import { lockAddresses, lockOwners } from '../../people/store.ts'
import { deactivateLeavers } from '../sync/leavers/deactivate-leavers.ts'
import type { Leaver } from '../sync/leavers/leavers-store.ts'
import { leaversToLetGo } from './to-let-go.ts'

export type ApproveOutcome = { outcome: 'done'; people: number } | { outcome: 'nobody' }

export interface Actor {
  id: number
  role: Role
}

/** An admin decides about members and auditors, an owner about everybody: as when they deactivate one person. */
export const mayLetGo = (actor: Role, { role }: Pick<Leaver, 'role'>) =>
  actor === 'owner' || (actor === 'admin' && !includesRole(role, 'admin'))

/** Deactivates the leavers who wait, those who had left by `until`: whom the page showed, and nobody else. */
export async function approveLeavers(db: Database, actor: Actor, until: string): Promise<ApproveOutcome> {
  return transaction(db, async tx => {
    await lockOwners(tx)
    await lockAddresses(tx)
    const mine = (await leaversToLetGo(tx, { until })).filter(leaver => mayLetGo(actor.role, leaver))
    const people = await deactivateLeavers(
      tx,
      mine.map(({ id }) => id),
      actor.id
    )
    return people.length > 0 ? { outcome: 'done', people: people.length } : { outcome: 'nobody' }
  })
}
