import { keysOf } from '../config/env.ts'
import { type OidcDeps, openClientSecret, sealClientSecret } from './settings.ts'
import { readProviderRows, replaceClientSecret } from './settings-store.ts'

/** Stores client secrets under the present key. `sealed`: none of the keys opens one. */
export async function resealClientSecrets(deps: OidcDeps): Promise<'nothing-to-do' | 'resealed' | 'sealed'> {
  const { config, db, secretKey } = deps
  const { inForce, candidate } = await readProviderRows(db)
  const outcomes = new Set<'nothing-to-do' | 'resealed' | 'sealed'>()
  for (const row of [inForce, candidate]) {
    if (!row?.clientSecret || openClientSecret([secretKey], row) !== undefined) continue
    const secret = openClientSecret(keysOf(deps), row)
    if (secret !== undefined) await replaceClientSecret(db, row.clientSecret, sealClientSecret(secretKey, row, secret))
    outcomes.add(secret !== undefined ? 'resealed' : config.oidc ? 'nothing-to-do' : 'sealed')
  }
  return (['sealed', 'resealed'] as const).find(each => outcomes.has(each)) ?? 'nothing-to-do'
}

export const sealedClientSecret =
  'The client secret of the organization’s provider cannot be read with the SECRET_KEY in force: enter it again at Settings › Sign-in, or start Rollcall with the former key in SECRET_KEY_FORMER'
