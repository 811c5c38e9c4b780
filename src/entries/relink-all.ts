import { recordEvent } from '../audit/store.ts'
import { transaction } from '../db/client.ts'
import { type DirectoryDeps, directoryOf } from '../directory/settings.ts'
import { type Directory, DirectoryProblem } from '../ldap/directory.ts'
import { type Relink, replaceEntries } from '../people/entry-store.ts'
import { currentRole, lockAddresses, lockOwners } from '../people/store.ts'
import { deleteSessionsOf } from '../sessions/store.ts'
import { lockAllGroups, readAllGroupsAgain } from '../sync/read-again-store.ts'
import { relinksWaiting } from './relink-store.ts'

const maxPeople = 5_000
const perQuestion = 250

export type RelinkOutcome =
  | { outcome: 'done'; people: number; others: number }
  | { outcome: 'role-too-small' }
  | { outcome: 'not-connected'; reason: string }
  | { outcome: 'unavailable'; reason: string }

/** An owner confirms that the directory was replaced: people with a missing entry get their one new entry. */
export async function relinkAll(deps: DirectoryDeps, actorId: number): Promise<RelinkOutcome> {
  const opened = await directoryOf(deps)
  if ('problem' in opened) return { outcome: 'not-connected', reason: opened.problem }
  const waiting = await relinksWaiting(deps.db, maxPeople)
  let proved: Relink[]
  try {
    proved = await provedBy(opened.directory, waiting)
  } catch (error) {
    if (error instanceof DirectoryProblem) return { outcome: 'unavailable', reason: error.message }
    throw error
  }
  return transaction(deps.db, async tx => {
    await lockAllGroups(tx)
    await lockOwners(tx)
    await lockAddresses(tx)
    if ((await currentRole(tx, actorId)) !== 'owner') return { outcome: 'role-too-small' }
    const ids = await replaceEntries(tx, proved)
    await deleteSessionsOf(tx, ids)
    await readAllGroupsAgain(tx)
    const people = ids.length
    if (people > 0) await recordEvent(tx, { kind: 'entries-relinked', actorId, details: { people } })
    return { outcome: 'done', people, others: waiting.length - people }
  })
}

async function provedBy(directory: Directory, waiting: Relink[]): Promise<Relink[]> {
  const proved: Relink[] = []
  for (let at = 0; at < waiting.length; at += perQuestion) {
    const some = waiting.slice(at, at + perQuestion)
    const found = await directory.findPeople(some.flatMap(({ formerId, entryId }) => [formerId, entryId]))
    const byId = new Map(found.map(entry => [entry.id, entry]))
    for (const each of some) {
      const entry = byId.get(each.entryId)
      const isProved = !byId.has(each.formerId) && entry !== undefined && !entry.isDisabled && !entry.isExcluded
      if (isProved) proved.push({ ...each, dn: entry.dn })
    }
  }
  return proved
}
