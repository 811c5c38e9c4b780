import { keysOf } from '../config/env.ts'
import { type DirectoryDeps, openPassword, sealPassword } from './settings.ts'
import { readSettingsRow, replacePassword } from './settings-store.ts'

/** `sealed`: it is stored, but none of the keys opens it. */
export type ResealOutcome = 'nothing-to-do' | 'resealed' | 'sealed'

/** Stores the bind password under the present key, if it was under a former one. */
export async function resealPassword(deps: DirectoryDeps): Promise<ResealOutcome> {
  const { config, db, secretKey } = deps
  const kept = (await readSettingsRow(db))?.bindPassword ?? null
  if (kept === null || openPassword([secretKey], kept) !== undefined) return 'nothing-to-do'
  const password = openPassword(keysOf(deps), kept)
  if (password === undefined) return config.ldap.bindPassword === undefined ? 'sealed' : 'nothing-to-do'
  await replacePassword(db, kept, sealPassword(secretKey, password))
  return 'resealed'
}
