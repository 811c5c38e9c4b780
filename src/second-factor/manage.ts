/** A person's own authenticator app and recovery codes. */
import { recordEvent } from '../audit/store.ts'
import { type Db, transaction } from '../db/client.ts'
import { isShortPassword, verifyPassword } from '../lib/secrets/password.ts'
import { inPasswordLine, type Turn } from '../lib/secrets/password-line.ts'
import { findPerson } from '../people/store.ts'
import { factorsOf } from '../sessions/factors-store.ts'
import { notify } from '../sessions/notify.ts'
import { needsSecondFactor, readRules } from '../sessions/rules-store.ts'
import { deleteSessionsOf, holdSession } from '../sessions/store.ts'
import { limitSession, makeWhole } from '../sessions/waiting-store.ts'
import { confirmTotp, deleteTotp, findUnconfirmed, replaceRecoveryCodes, saveUnconfirmed } from './factor-store.ts'
import { newRecoveryCodes, recoveryHash } from './recovery-codes.ts'
import { type FactorDeps, openTotp, sealTotp } from './sealed-totp.ts'
import { lockSelf, type Self } from './self.ts'
import { takeCode } from './take-code.ts'
import { counterOf, newTotpSecret } from './totp.ts'

/** False when an app is in use: it has to be turned off first. */
export async function startTotp(deps: FactorDeps, { id }: Self): Promise<boolean> {
  return transaction(deps.db, async tx => {
    await lockSelf(tx, id)
    return saveUnconfirmed(tx, id, sealTotp(deps, id, newTotpSecret()))
  })
}

export type ConfirmOutcome =
  /** `token`: the session's new one (S19). */
  | { outcome: 'confirmed'; codes: string[]; token: string }
  | { outcome: 'wrong' }
  /** The secret was replaced, confirmed, or is older than 15 minutes. */
  | { outcome: 'late' }

export async function confirm(deps: FactorDeps, { id, sessionId }: Self, typed: string): Promise<ConfirmOutcome> {
  return transaction(deps.db, async tx => {
    await lockSelf(tx, id)
    const sealed = await findUnconfirmed(tx, id)
    const secret = sealed && openTotp(deps, id, sealed)
    if (!sealed || secret === undefined) return { outcome: 'late' }
    const counter = counterOf(secret, typed)
    if (counter === undefined) return { outcome: 'wrong' }
    const token = await makeWhole(tx, sessionId, id)
    if (token === undefined || !(await confirmTotp(tx, id, sealed, counter))) return { outcome: 'late' }
    const codes = await makeCodes(tx, id)
    await recordEvent(tx, { kind: 'factor-on', actorId: id, personId: id })
    await notify(tx, 'factor-on', id)
    return { outcome: 'confirmed', codes, token }
  })
}

/** Voids the earlier ones. */
async function makeCodes(tx: Db, id: number): Promise<string[]> {
  const codes = newRecoveryCodes()
  await replaceRecoveryCodes(
    tx,
    id,
    codes.flatMap(code => recoveryHash(code) ?? [])
  )
  return codes
}

export interface Proof {
  password: string
  code: string
  turn: Omit<Turn, 'asker'>
}

export type Proved = { outcome: 'proved'; isShort: boolean } | { outcome: 'wrong-password' | 'wrong-code' | 'nothing' }

/** The current password, or else a code: an open session alone is not enough. */
export async function prove(deps: FactorDeps, id: number, { password, code, turn }: Proof): Promise<Proved> {
  if (password !== '') {
    const hash = (await findPerson(deps.db, id))?.passwordHash ?? null
    const isRight = await inPasswordLine({ asker: 'known', ...turn }, () => verifyPassword(password, hash))
    return isRight ? { outcome: 'proved', isShort: isShortPassword(password) } : { outcome: 'wrong-password' }
  }
  if (code === '') return { outcome: 'nothing' }
  const isRight = await transaction(deps.db, tx => takeCode(tx, deps, id, code))
  return isRight ? { outcome: 'proved', isShort: false } : { outcome: 'wrong-code' }
}

export async function renewCodes(deps: FactorDeps, { id, sessionId }: Self): Promise<string[] | undefined> {
  return transaction(deps.db, async tx => {
    await lockSelf(tx, id)
    const { hasCodes, hasPasskey } = await factorsOf(tx, id)
    if ((!hasCodes && !hasPasskey) || !(await holdSession(tx, id, sessionId))) return undefined
    const codes = await makeCodes(tx, id)
    await recordEvent(tx, { kind: 'recovery-codes-made', actorId: id, personId: id })
    await notify(tx, 'recovery-codes', id)
    return codes
  })
}

/** Ends the other sessions. Where a second factor is required, this one can only set up another. */
export async function turnOff(deps: FactorDeps, { id, sessionId }: Self): Promise<boolean> {
  return transaction(deps.db, async tx => {
    const person = await lockSelf(tx, id)
    if (!(await holdSession(tx, id, sessionId)) || !(await deleteTotp(tx, id))) return false
    const { hasPasskey } = await factorsOf(tx, id)
    if (!hasPasskey) await replaceRecoveryCodes(tx, id, [])
    if (!hasPasskey && needsSecondFactor(await readRules(tx), person.role)) await limitSession(tx, sessionId)
    await deleteSessionsOf(tx, id, sessionId)
    await recordEvent(tx, { kind: 'factor-off', actorId: id, personId: id })
    await notify(tx, 'factor-off', id)
    return true
  })
}
