/** Only what exists and what the role includes, in the order of docs/requirements.md. */
import { includesRole, type Role } from '../lib/role.ts'

interface Entry {
  name: string
  href: string
  icon: string
  key: string
  role: Role
}

const entries: Entry[] = [
  { name: 'Dashboard', href: '/', icon: 'dashboard', key: 'd', role: 'auditor' },
  { name: 'Invite', href: '/invite', icon: 'send', key: 'i', role: 'admin' },
  { name: 'Bulk invite', href: '/bulk', icon: 'upload', key: 'b', role: 'admin' },
  { name: 'Directory groups', href: '/groups', icon: 'groups', key: 'g', role: 'auditor' },
  { name: 'People', href: '/people', icon: 'people', key: 'p', role: 'auditor' },
  { name: 'Teams', href: '/teams', icon: 'teams', key: 't', role: 'auditor' },
  { name: 'Activity', href: '/activity', icon: 'activity', key: 'a', role: 'auditor' },
  { name: 'Settings', href: '/settings/organization', icon: 'settings', key: 's', role: 'owner' }
]

/** What `role` may open; `section` is marked as the current one. */
export function navigationFor(role: Role, section: string | undefined) {
  return entries
    .filter(entry => includesRole(role, entry.role))
    .map(({ name, href, icon, key }) => ({ name, href, icon, key, isCurrent: name === section }))
}

const waysToInvite = ['Invite', 'Bulk invite', 'Directory groups']

export function tabsFor(role: Role, section: string | undefined) {
  if (!section || !waysToInvite.includes(section)) return []
  return navigationFor(role, section).filter(({ name }) => waysToInvite.includes(name))
}
