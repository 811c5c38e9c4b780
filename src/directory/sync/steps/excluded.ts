import type { Database } from '../../../db/client.ts'
import { readExclusions } from '../../ldap/schema/exclusions.ts'
import { dnKey } from '../../ldap/syntax/dn.ts'
import { missingPeople } from './plan-store.ts'

const pageSize = 2000

/**
 * Of those whom the group does not list any more, the people that the settings say are never touched. Everybody whom it
 * does list comes with the mark already.
 */
export async function excludedAmongMissing(
  db: Database,
  run: { id: number; teamId: number },
  exclusions: string[]
): Promise<number[]> {
  if (exclusions.length === 0) return []
  const isExcluded = readExclusions(exclusions)
  const found: number[] = []
  let page = await missingPeople(db, run.id, run.teamId, pageSize)
  while (page.length > 0) {
    const own = page.filter(({ dn, email }) => isExcluded(dnKey(dn ?? '') ?? '', [email]))
    found.push(...own.map(({ id }) => id))
    page = await missingPeople(db, run.id, run.teamId, pageSize, page.at(-1)!.id)
  }
  return found
}
