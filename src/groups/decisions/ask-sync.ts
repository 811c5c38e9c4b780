import { type Database, transaction } from '../../db/client.ts'
import { requireRole } from '../../people/store.ts'
import { insertRun, lockGroup } from '../../sync/run-store.ts'

export type AskOutcome = { outcome: 'asked'; runId: number } | { outcome: 'unknown' }

/** Does nothing when a sync is already running. */
export async function askSync(db: Database, actorId: number, groupId: number): Promise<AskOutcome> {
  return transaction(db, async tx => {
    if (!(await lockGroup(tx, groupId))) return { outcome: 'unknown' }
    await requireRole(tx, actorId, 'admin')
    const { id } = await insertRun(tx, groupId, 'asked', actorId)
    return { outcome: 'asked', runId: id }
  })
}
