/** A person's own passkeys. */
import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { factorsOf } from '../sessions/factors-store.ts'
import { notify } from '../sessions/notify.ts'
import { needsSecondFactor, readRules } from '../sessions/rules-store.ts'
import { holdSession } from '../sessions/store.ts'
import { limitSession, makeWhole } from '../sessions/waiting-store.ts'
import { replaceRecoveryCodes } from './factor-store.ts'
import {
  deletePasskey,
  insertChallenge,
  insertPasskey,
  type NewPasskey,
  passkeysOf,
  renamePasskey
} from './passkeys-store.ts'
import { lockSelf, type Self } from './self.ts'

export const maxPasskeys = 20

export type AddOutcome =
  /** `token`: the session's new one (S19). */
  { outcome: 'added'; token: string } | { outcome: 'known' | 'too-many' | 'signed-out' }

export async function addPasskey(
  db: Database,
  { id, sessionId }: Self,
  passkey: Omit<NewPasskey, 'personId'>
): Promise<AddOutcome> {
  return transaction(db, async tx => {
    await lockSelf(tx, id)
    if ((await passkeysOf(tx, id)).length >= maxPasskeys) return { outcome: 'too-many' }
    if (!(await holdSession(tx, id, sessionId))) return { outcome: 'signed-out' }
    if (!(await insertPasskey(tx, { ...passkey, personId: id }))) return { outcome: 'known' }
    const token = await makeWhole(tx, sessionId, id)
    if (token === undefined) return { outcome: 'signed-out' }
    await recordEvent(tx, { kind: 'passkey-added', actorId: id, personId: id, details: { name: passkey.name } })
    await notify(tx, 'passkey-added', id)
    return { outcome: 'added', token }
  })
}

export async function nameOwn(db: Database, { id }: Self, passkeyId: number, name: string): Promise<boolean> {
  return transaction(db, async tx => {
    await lockSelf(tx, id)
    if (!(await renamePasskey(tx, id, passkeyId, name))) return false
    await recordEvent(tx, { kind: 'passkey-renamed', actorId: id, personId: id, details: { name } })
    return true
  })
}

export async function removeOwn(db: Database, self: Self, passkeyId: number): Promise<boolean> {
  const { id } = self
  return transaction(db, async tx => {
    const person = await lockSelf(tx, id)
    const name = await deletePasskey(tx, id, passkeyId)
    if (name === undefined) return false
    await limitWithout(tx, self, needsSecondFactor(await readRules(tx), person.role))
    await recordEvent(tx, { kind: 'passkey-removed', actorId: id, personId: id, details: { name } })
    await notify(tx, 'passkey-removed', id)
    return true
  })
}

/** Without its last factor, a session can only set up another where one is required. */
async function limitWithout(tx: Db, { id, sessionId }: Self, isRequired: boolean): Promise<void> {
  const { hasCodes, hasPasskey } = await factorsOf(tx, id)
  if (hasCodes || hasPasskey) return
  await replaceRecoveryCodes(tx, id, [])
  if (isRequired) await limitSession(tx, sessionId)
}

/** What the next passkey has to sign. */
export async function keepChallenge(db: Database, { id }: Self, challengeHash: Buffer): Promise<void> {
  await transaction(db, async tx => {
    await lockSelf(tx, id)
    await insertChallenge(tx, challengeHash, id)
  })
}
