import type { Db } from '../../db/client.ts'
import { readSettingsRow } from '../connection/settings-store.ts'
import { readExclusions } from '../ldap/schema/exclusions.ts'
import { dnKey } from '../ldap/syntax/dn.ts'
import { type Leaver, waitingLeavers } from '../sync/leavers/leavers-store.ts'

/** The leavers who wait, but for those whom the settings say never to touch. */
export async function leaversToLetGo(db: Db, which: Parameters<typeof waitingLeavers>[1] = {}): Promise<Leaver[]> {
  const isExcluded = readExclusions((await readSettingsRow(db))?.exclusions ?? [])
  const waiting = await waitingLeavers(db, which)
  return waiting.filter(({ dn, email }) => !isExcluded(dnKey(dn ?? '') ?? '', [email]))
}

/** How many of them wait for somebody's word: with deactivating by itself off, nobody has to say anything. */
export async function heldLeavers(db: Db): Promise<number> {
  const isOn = (await readSettingsRow(db))?.deactivateLeavers === true
  return isOn ? (await leaversToLetGo(db)).length : 0
}
