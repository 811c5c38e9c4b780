import { type Database, transaction } from '../../db/client.ts'
import { requireRole } from '../../people/store.ts'
import { copyTeams } from '../../teams/members-store.ts'
import { restOf } from '../report/report-store.ts'
import { addToCounts, insertBatch, lockBatch, startChecking } from '../store.ts'
import { avoidScans, copyUnsentLines, owesNothing } from './control-store.ts'

export type RestOutcome =
  | { outcome: 'done'; batchId: number }
  | { outcome: 'unknown' }
  | { outcome: 'wrong-state' }
  | { outcome: 'busy' }

/** Makes a new batch of a canceled one's unsent lines. A second request returns the same batch. */
export async function sendRest(db: Database, actorId: number, batchId: number): Promise<RestOutcome> {
  return transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return { outcome: 'unknown' }
    await requireRole(tx, actorId, 'admin')
    if (batch.state !== 'cancelled') return { outcome: 'wrong-state' }
    const known = await restOf(tx, batchId)
    if (known !== undefined) return { outcome: 'done', batchId: known }
    // email in flight may still be returned and canceled: then it belongs here too
    if (!(await owesNothing(tx, batchId))) return { outcome: 'busy' }
    const { source, fileName, groupId, correctsBatchId } = batch
    const restId = await insertBatch(tx, {
      source,
      fileName,
      groupId,
      correctsBatchId,
      state: 'receiving',
      action: 'send',
      createdBy: actorId,
      sentBy: actorId,
      restOfBatchId: batchId
    })
    await avoidScans(tx)
    const lines = await copyUnsentLines(tx, batchId, restId)
    if (lines === 0) throw new Error('a canceled batch has no line left that was not sent')
    await addToCounts(tx, restId, { lines })
    await copyTeams(tx, batchId, restId)
    await startChecking(tx, restId, { from: ['receiving'] })
    return { outcome: 'done', batchId: restId }
  })
}
