import type { Database } from '../../db/client.ts'
import { readExclusions } from '../../ldap/schema/exclusions.ts'
import { dnKey, nameKey, nameOfKey, parentOf } from '../../ldap/syntax/dn.ts'
import { last } from '../../lib/ends.ts'
import { type MissingPerson, missingPeople } from './plan-store.ts'

const pageSize = 2000

export interface KeptPeople {
  /** Excluded by the settings. People that the group lists have the mark already. */
  excluded: number[]
  /** In another directory, which does not prove that they left the group (docs/decisions/0015). */
  away: number[]
}

/** `away`: what another directory holds, as DN keys. */
export async function keptAmongMissing(
  db: Database,
  run: { id: number; teamId: number },
  exclusions: string[],
  away: string[]
): Promise<KeptPeople> {
  const kept: KeptPeople = { excluded: [], away: [] }
  if (exclusions.length === 0 && away.length === 0) return kept
  const isExcluded = readExclusions(exclusions)
  const isAway = awayAmong(away)
  let page = await missingPeople(db, run.id, run.teamId, pageSize)
  while (page.length > 0) {
    for (const person of page) {
      if (isExcluded(dnKey(person.dn ?? '') ?? '', [person.email])) kept.excluded.push(person.id)
      else if (isAway(person)) kept.away.push(person.id)
    }
    page = await missingPeople(db, run.id, run.teamId, pageSize, last(page).id)
  }
  return kept
}

/** Whether another directory holds the person's entry, a place above it, or the nested group behind it. */
function awayAmong(away: string[]): (person: MissingPerson) => boolean {
  const places = new Set(away)
  const names = new Set(away.map(nameOfKey))
  return ({ dn, via }) => {
    for (let key = dnKey(dn ?? ''); key; key = parentOf(key)) if (places.has(key)) return true
    return via !== null && names.has(nameKey('cn', via))
  }
}
