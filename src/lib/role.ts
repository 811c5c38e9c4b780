export type Role = 'member' | 'auditor' | 'admin' | 'owner'

/** The actor lost the needed role after the request was let in. Nothing was changed. */
export class RoleLost extends Error {
  constructor() {
    super('the actor no longer has the role that this needs')
  }
}

const ranks: Record<Role, number> = { member: 0, auditor: 1, admin: 2, owner: 3 }
export const roleNames: Record<Role, string> = { member: 'Member', auditor: 'Auditor', admin: 'Admin', owner: 'Owner' }

export function includesRole(role: Role, needed: Role): boolean {
  return ranks[role] >= ranks[needed]
}

export function isRole(text: string): text is Role {
  return Object.hasOwn(ranks, text)
}
