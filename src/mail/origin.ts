/** A restored backup holds its mail until an owner decides: its original may have sent it (R18). */
import { createHash } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Config, keysOf } from '../config/env.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { reasonOf } from '../db/faults.ts'
import { stopJudging } from './copies-store.ts'
import type { Log } from './delivery.ts'
import {
  type Decision,
  endHold,
  expireLeases,
  holdCopy,
  holdWaiting,
  lockHold,
  type Origin,
  openGate,
  readHold,
  readIdentity,
  readOrigin,
  saveDecision,
  saveOrigin
} from './queue/origin-store.ts'
import { applyWorkerSettings } from './queue/store.ts'

interface OriginDeps {
  db: Database
  config: Config
  secretKey: Buffer
}

const printOf = (key: Buffer) => createHash('sha256').update('rollcall key').update(key).digest('hex').slice(0, 32)

/** At startup: holds all mail if this database is not the one that sent last. True when mail is on hold. */
export async function detectCopy(deps: OriginDeps, log: Log): Promise<boolean> {
  const isHeld = await transaction(deps.db, async tx => {
    const identity = await readIdentity(tx)
    const known = await readOrigin(tx)
    if (known && isOther(known, identity, keysOf(deps).map(printOf))) {
      if (await holdCopy(tx)) await recordEvent(tx, { kind: 'copy-found', actorId: null })
      // this database must not send what its original had claimed
      if (isElsewhere(known, identity)) await expireLeases(tx)
      return true
    }
    if (!known?.isHeld) await saveOrigin(tx, { ...identity, keyPrint: printOf(deps.secretKey) })
    return known?.isHeld ?? false
  })
  if (isHeld) {
    log.warn({}, 'This database is a copy: emails are on hold until an owner decides in Settings › Mail')
    await startHold(deps.db, log)
  }
  return isHeld
}

type Identity = Omit<Origin, 'keyPrint'>

const isElsewhere = (known: Origin, { cluster, databaseOid }: Identity) =>
  known.databaseOid !== databaseOid || (known.cluster !== null && cluster !== null && known.cluster !== cluster)

/** If the server's identity cannot be read, the key must be one of ours. */
function isOther(known: Origin, identity: Identity, keyPrints: string[]): boolean {
  const isProved = known.cluster !== null && known.cluster === identity.cluster
  return isElsewhere(known, identity) || (!isProved && !keyPrints.includes(known.keyPrint))
}

/** Saves an owner's decision about held mail, for `startHold` and the worker. False when there is none to decide. */
export async function decideCopy(tx: Db, secretKey: Buffer, actorId: number, act: Decision): Promise<boolean> {
  const known = await readOrigin(tx)
  if (!known?.isHeld || known.decision) return false
  const mails = (await readHold(tx))?.mails ?? 0
  await saveOrigin(tx, { ...(await readIdentity(tx)), keyPrint: printOf(secretKey) })
  await saveDecision(tx, act)
  await recordEvent(tx, { kind: act === 'send' ? 'copy-sends' : 'copy-discarded', actorId, details: { mails } })
  if (act === 'discard') await stopQueuing(tx)
  return true
}

const judgingStopped =
  'This database is a copy, and its waiting emails were discarded. Select Resume to invite the rest of this list from here.'

/** Lists that are still being judged would queue more emails. */
async function stopQueuing(tx: Db) {
  await expireLeases(tx)
  for (const batchId of await stopJudging(tx, judgingStopped))
    await recordEvent(tx, { kind: 'batch-stopped', actorId: null, batchId, details: { reason: judgingStopped } })
}

const maxInStep = 5000
const maxStepsNow = 4

/** A few steps right away, so that pages show them; the worker does the others, and all of them after a failure. */
export async function startHold(db: Database, log: Log): Promise<void> {
  try {
    for (let steps = 0; steps < maxStepsNow && (await stepHold(db)); steps += 1);
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'Could not update emails on hold, trying again')
  }
}

/** Holds a copy's waiting emails or carries out the decision, at most `max`. True when there is more to do. */
export async function stepHold(db: Database, max = maxInStep): Promise<boolean> {
  return transaction(db, async tx => {
    const hold = await lockHold(tx)
    if (!hold) return false
    await applyWorkerSettings(tx)
    const { decision } = hold
    if (decision !== 'send' && (await holdWaiting(tx, max)) > 0) return true
    if (!decision) return false
    if ((await endHold(tx, decision, max)) > 0) return true
    await openGate(tx)
    return false
  })
}
