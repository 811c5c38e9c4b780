import type { Db } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { currentRole } from '../people/store.ts'

/**
 * Whether this user may see an invitation's link, resend it or revoke it. Admins and owners may, unless it grants a role above their
 * present one.
 */
export async function mayHandle(db: Db, actorId: number, invitation: { role: Role }): Promise<boolean> {
  const role = await currentRole(db, actorId)
  return role !== undefined && canHandle(role, invitation)
}

export const canHandle = (role: Role, invitation: { role: Role }) =>
  includesRole(role, 'admin') && includesRole(role, invitation.role)
