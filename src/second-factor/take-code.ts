import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import { notify } from '../sessions/notify.ts'
import { countRecoveryCodes, findTotp, moveCounter, useRecoveryCode } from './factor-store.ts'
import { recoveryHash } from './recovery-codes.ts'
import { type FactorDeps, openTotp } from './sealed-totp.ts'
import { counterOf, digitsOf } from './totp.ts'

/** Uses up a code of the app or a recovery code; false when it is wrong or was used before. */
export async function takeCode(
  tx: Db,
  deps: Pick<FactorDeps, 'config' | 'secretKey'>,
  personId: number,
  typed: string
): Promise<boolean> {
  if (digitsOf(typed) === undefined) return takeRecoveryCode(tx, personId, typed)
  const sealed = await findTotp(tx, personId)
  const secret = sealed && openTotp(deps, personId, sealed)
  const counter = secret === undefined ? undefined : counterOf(secret, typed)
  return counter !== undefined && moveCounter(tx, personId, counter)
}

async function takeRecoveryCode(tx: Db, personId: number, typed: string): Promise<boolean> {
  const hash = recoveryHash(typed)
  if (!hash || !(await useRecoveryCode(tx, personId, hash))) return false
  const left = await countRecoveryCodes(tx, personId)
  await recordEvent(tx, { kind: 'recovery-code-used', actorId: personId, personId, details: { left } })
  await notify(tx, 'recovery-used', personId)
  return true
}
