/** A restored backup asks before it sends what its original may have sent (R18). */
import { createHash } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Config, keysOf } from '../config/env.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { reasonOf } from '../db/faults.ts'
import type { Log } from './delivery.ts'
import {
  type Decision,
  endHold,
  expireLeases,
  holdCopy,
  holdWaiting,
  keepDecision,
  keepOrigin,
  type Origin,
  openGate,
  readHold,
  readIdentity,
  readOrigin,
  readUndone,
  stopJudging
} from './queue/origin-store.ts'
import { waitBriefly } from './queue/store.ts'

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
    if (known && isOther(known, identity, keysOf(deps).map(printOf))) {
      if (await holdCopy(tx)) await recordEvent(tx, { kind: 'copy-found', actorId: null })
      // what its original had in hand is not on its way from here
      if (isElsewhere(known, identity)) await expireLeases(tx)
      return true
    }
    if (!known?.isHeld) await keepOrigin(tx, { ...identity, keyPrint: printOf(deps.secretKey) })
    return known?.isHeld ?? false
  })
  if (isHeld) {
    log.warn({}, 'This database is a copy: mail is held until an owner decides in Settings › Mail what becomes of it')
    await tendSome(deps.db, log)
  }
  return isHeld
}

type Identity = Omit<Origin, 'keyPrint'>

const isElsewhere = (known: Origin, { cluster, databaseOid }: Identity) =>
  known.databaseOid !== databaseOid || (known.cluster !== null && cluster !== null && known.cluster !== cluster)

/** Where the server's identity cannot be read, the key has to be one of ours. */
function isOther(known: Origin, identity: Identity, keyPrints: string[]): boolean {
  const isProved = known.cluster !== null && known.cluster === identity.cluster
  return isElsewhere(known, identity) || (!isProved && !keyPrints.includes(known.keyPrint))
}

/**
 * An owner's decision: what is held is sent from here, or called off; this database sends from now on. Moving the mails
 * is left to `tendSome` and the worker. False when nothing is to be decided.
 */
export async function decideCopy(tx: Db, secretKey: Buffer, actorId: number, act: Decision): Promise<boolean> {
  const known = await readOrigin(tx)
  if (!known?.isHeld || known.decision) return false
  const mails = (await readHold(tx))?.mails ?? 0
  await keepOrigin(tx, { ...(await readIdentity(tx)), keyPrint: printOf(secretKey) })
  await keepDecision(tx, act)
  await recordEvent(tx, { kind: act === 'send' ? 'copy-sends' : 'copy-discarded', actorId, details: { mails } })
  if (act === 'discard') await stopWhatQueues(tx)
  return true
}

const judgingStopped =
  'This database is a copy, and its waiting emails were discarded. Select Resume to invite the rest of this list from here.'

/** Lists that are still judged would go on queuing mails, one after the other. */
async function stopWhatQueues(tx: Db) {
  await expireLeases(tx)
  for (const batchId of await stopJudging(tx, judgingStopped))
    await recordEvent(tx, { kind: 'batch-stopped', actorId: null, batchId, details: { reason: judgingStopped } })
}

const mailsInStep = 5000
const stepsAtOnce = 4

/** Some steps at once, so that people see at once what is held; a failure leaves them to the worker. */
export async function tendSome(db: Database, log: Log): Promise<void> {
  try {
    for (let steps = 0; steps < stepsAtOnce && (await tendCopy(db)); steps += 1);
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'Held mail could not be moved yet, trying again')
  }
}

/** Holds what waits in a copy, or does what was decided about it: `most` mails. True when there is more to do. */
export async function tendCopy(db: Database, most = mailsInStep): Promise<boolean> {
  return transaction(db, async tx => {
    const undone = await readUndone(tx)
    if (!undone) return false
    await waitBriefly(tx)
    const { decision } = undone
    if (decision !== 'send' && (await holdWaiting(tx, most)) > 0) return true
    if (!decision) return false
    if ((await endHold(tx, decision, most)) > 0) return true
    await openGate(tx)
    return false
  })
}
