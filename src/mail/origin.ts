/** A restored backup asks before it sends what its original may have sent (R18). */
import { createHash } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Config, keysOf } from '../config.ts'
import { type Database, transaction } from '../db/client.ts'
import type { Log } from './delivery.ts'
import { discardWaiting, holdCopy, keepOrigin, readIdentity, readOrigin } from './queue/origin-store.ts'

interface OriginDeps {
  db: Database
  config: Config
  secretKey: Buffer
}

const printOf = (key: Buffer) => createHash('sha256').update('rollcall key').update(key).digest('hex').slice(0, 32)

/** At a start: holds all mail where this database is not the one that sent last. True when it does. */
export async function lookForCopy(deps: OriginDeps, log: Log): Promise<boolean> {
  const isHeld = await transaction(deps.db, async tx => {
    const identity = await readIdentity(tx)
    const known = await readOrigin(tx)
    const keyPrint = printOf(deps.secretKey)
    if (known?.isHeld) return true
    const isSameKey = known !== undefined && keysOf(deps).map(printOf).includes(known.keyPrint)
    const isSameServer = known?.cluster === identity.cluster || !known?.cluster || !identity.cluster
    const isProved = known?.cluster === identity.cluster && identity.cluster !== null
    const isCopy =
      known !== undefined && (!isSameServer || known.databaseOid !== identity.databaseOid || (!isProved && !isSameKey))
    if (isCopy) {
      await holdCopy(tx)
      await recordEvent(tx, { kind: 'copy-found', actorId: null })
    } else await keepOrigin(tx, { ...identity, keyPrint })
    return isCopy
  })
  if (isHeld)
    log.warn({}, 'This database is a copy: mail is held until an owner decides in Settings › Mail what becomes of it')
  return isHeld
}

/** An owner's decision: what waits is sent from here, or called off; this database sends from now on. */
export async function decideCopy(deps: OriginDeps, actorId: number, act: 'send' | 'discard'): Promise<boolean> {
  return transaction(deps.db, async tx => {
    const known = await readOrigin(tx)
    if (!known?.isHeld) return false
    const mails = act === 'discard' ? await discardWaiting(tx) : 0
    await keepOrigin(tx, { ...(await readIdentity(tx)), keyPrint: printOf(deps.secretKey) })
    await recordEvent(tx, { kind: act === 'send' ? 'copy-sends' : 'copy-discarded', actorId, details: { mails } })
    return true
  })
}
