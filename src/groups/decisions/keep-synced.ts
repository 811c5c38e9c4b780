import { recordEvent } from '../../audit/store.ts'
import { transaction } from '../../db/client.ts'
import { type DirectoryDeps, directoryOf } from '../../directory/settings.ts'
import { DirectoryProblem, type FoundGroup } from '../../ldap/directory.ts'
import { organizationSignInOn } from '../../oidc/organization-sign-in.ts'
import { requireRole } from '../../people/store.ts'
import { keepGroup } from '../../sync/decisions-store.ts'
import { insertRun } from '../../sync/run-store.ts'

export type KeepOutcome =
  | { outcome: 'kept'; groupIds: number[] }
  | { outcome: 'no-sign-in' }
  | { outcome: 'unknown'; directoryIds: string[] }
  | { outcome: 'unavailable'; reason: string }

/** Each group becomes a team and is read immediately. No email is sent. */
export async function keepSynced(deps: DirectoryDeps, actorId: number, directoryIds: string[]): Promise<KeepOutcome> {
  if (!(await organizationSignInOn(deps))) return { outcome: 'no-sign-in' }
  const found = await find(deps, directoryIds)
  if ('reason' in found) return { outcome: 'unavailable', reason: found.reason }
  const known = new Set(found.groups.map(({ id }) => id))
  const unknown = directoryIds.filter(id => !known.has(id))
  if (unknown.length > 0) return { outcome: 'unknown', directoryIds: unknown }
  return transaction(deps.db, async tx => {
    await requireRole(tx, actorId, 'admin')
    const groupIds: number[] = []
    // one order for everyone, so that two admins never deadlock
    for (const group of found.groups.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
      const id = await keepGroup(tx, { ...group, directoryId: group.id }, actorId)
      if (id === undefined) continue
      await insertRun(tx, id, 'start', actorId)
      groupIds.push(id)
    }
    const names = found.groups.map(({ name }) => name)
    const details = { groups: groupIds.length, names: names.slice(0, 20).join(', ') }
    if (groupIds.length > 0) await recordEvent(tx, { kind: 'groups-synced', actorId, details })
    return { outcome: 'kept', groupIds }
  })
}

async function find(deps: DirectoryDeps, ids: string[]): Promise<{ groups: FoundGroup[] } | { reason: string }> {
  const opened = await directoryOf(deps)
  if ('problem' in opened) return { reason: opened.problem }
  try {
    return { groups: await opened.directory.findGroups([...new Set(ids)]) }
  } catch (error) {
    if (!(error instanceof DirectoryProblem)) throw error
    return { reason: [error.message, error.advice].filter(Boolean).join('. ') }
  }
}
