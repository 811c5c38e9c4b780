import type { Db } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { currentRole } from '../people/store.ts'

/** Whether this user may see, resend or revoke it: admins and owners may, up to their own present role. */
export async function mayHandle(db: Db, actorId: number, invitation: { role: Role }): Promise<boolean> {
  const role = await currentRole(db, actorId)
  return role !== undefined && canHandle(role, invitation)
}

export const canHandle = (role: Role, invitation: { role: Role }) =>
  includesRole(role, 'admin') && includesRole(role, invitation.role)
