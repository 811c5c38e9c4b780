import { recordEvent } from '../../audit/store.ts'
import { type Database, type Db, transaction } from '../../db/client.ts'
import { includesRole } from '../../lib/role.ts'
import { organizationOf } from '../../organization/store.ts'
import { currentRole } from '../../people/store.ts'
import { addToCounts, awaitOrder, type BatchRow, lockBatch, setState, startSending } from '../store.ts'
import { inviteLines } from './invite-lines.ts'
import {
  insertRecipients,
  judgeAgain,
  lockInviting,
  type NextChunk,
  nextChunk,
  nextLinesToSend,
  setSentThrough
} from './judge-store.ts'
import { releaseBatch, renewLease, takeBatch } from './lease-store.ts'

const maxFailures = 3
/** Milliseconds before another batch gets its turn. */
const turn = 1000

/** Works on the batch that is due, for about a second. False when none is. */
export async function classifyNext(db: Database): Promise<boolean> {
  const taken = await takeBatch(db)
  if (!taken) return false
  if (taken.failures > maxFailures) {
    await giveUp(db, taken.id)
    return true
  }
  const end = Date.now() + turn
  try {
    while (await step(db, taken.id)) if (Date.now() > end) break
    await releaseBatch(db, taken.id)
  } catch (error) {
    await releaseBatch(db, taken.id, taken.failures * 2)
    throw error
  }
  return true
}

/** Unless another worker or an admin has changed it meanwhile. */
async function giveUp(db: Database, batchId: number) {
  const stopReason = `The next lines failed ${maxFailures} times. See the log for the cause, fix it and resume.`
  await transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (batch?.state !== 'checking') return
    await setState(tx, batchId, 'stopped', { stopReason })
    await recordEvent(tx, { kind: 'batch-stopped', actorId: null, batchId, details: { reason: stopReason } })
  })
}

async function step(db: Database, batchId: number): Promise<boolean> {
  return transaction(db, async tx => {
    const chunk = await nextChunk(tx, batchId)
    if (chunk?.action === 'send' && !(await maySend(tx, batchId, chunk.sentBy))) return false
    if (chunk) await judge(tx, batchId, chunk)
    else if (!(await sendMore(tx, batchId))) return finish(tx, batchId)
    await renewLease(tx, batchId)
    return true
  })
}

/** If the sender is no longer an active admin, the batch stops until another admin resumes it. */
async function maySend(tx: Db, batchId: number, sentBy: number): Promise<boolean> {
  const role = await currentRole(tx, sentBy)
  if (role && includesRole(role, 'admin')) return true
  const stopReason = 'The user who sent it is no longer an active admin. Select Resume to send it in your name.'
  const batch = await lockBatch(tx, batchId)
  if (batch?.state !== 'checking') return false
  await setState(tx, batchId, 'stopped', { stopReason })
  await recordEvent(tx, { kind: 'batch-stopped', actorId: null, batchId, details: { reason: stopReason } })
  return false
}

async function judge(tx: Db, batchId: number, chunk: NextChunk) {
  await lockInviting(tx)
  const judgement = await insertRecipients(tx, batchId, chunk.firstLine)
  const judged = Object.values(judgement.counts).reduce((sum, count) => sum + count, 0)
  if (chunk.action === 'send') {
    const { invitationDays: days } = await organizationOf(tx)
    await inviteLines(tx, { batchId, ...judgement, invitedBy: chunk.sentBy, days, priority: 1 })
    await setSentThrough(tx, batchId, judgement.toLine)
  }
  await addToCounts(tx, batchId, { judged, verdicts: judgement.counts })
}

async function sendMore(tx: Db, batchId: number): Promise<boolean> {
  const next = await nextLinesToSend(tx, batchId)
  if (!next) return false
  if (!(await maySend(tx, batchId, next.sentBy))) return true
  await lockInviting(tx)
  const changed = await judgeAgain(tx, batchId, next.fromLine, next.toLine)
  const gone = Object.values(changed).reduce((sum, count) => sum + count, 0)
  if (gone > 0) await addToCounts(tx, batchId, { verdicts: { ...changed, invite: -gone } })
  const { invitationDays: days } = await organizationOf(tx)
  const counts = { invite: next.lines - gone }
  await inviteLines(tx, {
    batchId,
    fromLine: next.fromLine,
    toLine: next.toLine,
    counts,
    hasFormerlyInvited: true,
    hasOtherAddress: true,
    invitedBy: next.sentBy,
    days,
    priority: 1
  })
  await setSentThrough(tx, batchId, next.toLine)
  return true
}

async function finish(tx: Db, batchId: number): Promise<false> {
  const batch = await lockBatch(tx, batchId)
  if (batch?.state !== 'checking') return false
  if (batch.action === 'send') await startSending(tx, batchId)
  else await awaitOrder(tx, batchId)
  await recordEvent(tx, eventOf(batch))
  return false
}

function eventOf({ id: batchId, action, createdBy, sentBy, lines, invite, fileName }: BatchRow) {
  const details = { lines, invite, file: fileName }
  return action === 'send'
    ? { kind: 'invitations-sent' as const, actorId: sentBy ?? createdBy, batchId, details }
    : { kind: 'addresses-checked' as const, actorId: createdBy, batchId, details }
}
