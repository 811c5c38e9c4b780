import type { Db } from '../db/client.ts'
import { readSettingsRow } from '../directory/settings-store.ts'
import { readExclusions } from '../ldap/schema/exclusions.ts'
import { dnKey } from '../ldap/syntax/dn.ts'
import { last } from '../lib/ends.ts'
import { peopleInWords } from '../lib/words.ts'
import { type Leaver, type LeaversAsked, waitingLeavers } from './leavers-store.ts'

/** The waiting leavers, without those that the settings exclude. */
export async function leaversToLetGo(db: Db, which: LeaversAsked = {}): Promise<Leaver[]> {
  const isExcluded = await readExcluded(db)
  return (await waitingLeavers(db, which)).filter(leaver => !isExcluded(leaver))
}

async function readExcluded(db: Db) {
  const isExcluded = readExclusions((await readSettingsRow(db))?.exclusions ?? [])
  return ({ dn, email }: Leaver) => isExcluded(dnKey(dn ?? '') ?? '', [email])
}

const maxCounted = 1_000

/** Counted up to a thousand; null: none. */
export async function leaversInWords(db: Db): Promise<string | null> {
  const isExcluded = await readExcluded(db)
  let count = 0
  for (let after = 0; count <= maxCounted; ) {
    const some = await waitingLeavers(db, { after, limit: maxCounted + 1 })
    count += some.filter(leaver => !isExcluded(leaver)).length
    if (some.length <= maxCounted) break
    after = last(some).id
  }
  if (count > maxCounted) return `Over ${peopleInWords(maxCounted)}`
  return count === 0 ? null : peopleInWords(count)
}

/** The same while they wait for approval: with automatic deactivation off, no one has to decide. */
export async function heldLeavers(db: Db): Promise<string | null> {
  const isOn = (await readSettingsRow(db))?.deactivateLeavers === true
  return isOn ? leaversInWords(db) : null
}
