/** An authenticator app's secret at rest. */
import { type Config, keysOf } from '../config/env.ts'
import type { Database } from '../db/client.ts'
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'
import { resealSecret, sealedSecrets } from './factor-store.ts'

export interface FactorDeps {
  db: Database
  config: Pick<Config, 'formerKeys'>
  secretKey: Buffer
}

const placeOf = (personId: number) => ({ table: 'totp_secrets', id: personId, column: 'secret' })

export const sealTotp = ({ secretKey }: Pick<FactorDeps, 'secretKey'>, personId: number, secret: string) =>
  sealSecret(secretKey, placeOf(personId), secret)

/** Undefined when none of the keys opens it. */
export const openTotp = (deps: Pick<FactorDeps, 'config' | 'secretKey'>, personId: number, sealed: Buffer) =>
  keysOf(deps)
    .map(key => openSecret(key, placeOf(personId), sealed))
    .find(secret => secret !== undefined)

/** At start: seals all of them with the current key. Returns how many no key opens. */
export async function resealTotp(deps: FactorDeps): Promise<number> {
  let lost = 0
  for (const { personId, secret } of await sealedSecrets(deps.db)) {
    if (openSecret(deps.secretKey, placeOf(personId), secret) !== undefined) continue
    const plain = openTotp(deps, personId, secret)
    if (plain === undefined) lost += 1
    else await resealSecret(deps.db, personId, secret, sealTotp(deps, personId, plain))
  }
  return lost
}
