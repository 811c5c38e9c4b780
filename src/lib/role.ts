export type Role = 'member' | 'auditor' | 'admin' | 'owner'

const ranks: Record<Role, number> = { member: 0, auditor: 1, admin: 2, owner: 3 }
export const roleNames: Record<Role, string> = { member: 'Member', auditor: 'Auditor', admin: 'Admin', owner: 'Owner' }

/** Does `role` include what `needed` may do? */
export function includesRole(role: Role, needed: Role): boolean {
  return ranks[role] >= ranks[needed]
}

export function isRole(text: string): text is Role {
  return Object.hasOwn(ranks, text)
}
