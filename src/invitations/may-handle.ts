import type { Db } from '../db/client.ts'
import { includesRole, type Role } from '../lib/role.ts'
import { currentRole } from '../people/store.ts'

/**
 * May this user see the link of an invitation, resend it or revoke it? Admins and owners may, as long as the invitation
 * gives no higher role than their own at this moment: its link is worth what it gives.
 */
export async function mayHandle(db: Db, actorId: number, invitation: { role: Role }): Promise<boolean> {
  const role = await currentRole(db, actorId)
  return role !== undefined && canHandle(role, invitation)
}

/** The same for a role that is known. */
export const canHandle = (role: Role, invitation: { role: Role }) =>
  includesRole(role, 'admin') && includesRole(role, invitation.role)
