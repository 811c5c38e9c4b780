import { recordEvent } from '../../audit/store.ts'
import { type Database, transaction } from '../../db/client.ts'
import { retryFailed } from '../../mail/store.ts'
import { requireRole } from '../../people/store.ts'
import { canBe } from '../batch.ts'
import { lockBatch } from '../store.ts'
import { avoidScans } from './control-store.ts'
import type { ControlOutcome } from './pause.ts'

const mailsInStep = 20_000 // one statement for a million rows would exceed the statement timeout

/** Retries failed and unknown emails with the same links; with a mail server also those in the outbox. */
export async function retry(
  db: Database,
  actorId: number,
  batchId: number,
  hasMailServer: boolean
): Promise<ControlOutcome> {
  return transaction(db, async tx => {
    const batch = await lockBatch(tx, batchId)
    if (!batch) return 'unknown'
    await requireRole(tx, actorId, 'admin')
    if (!canBe('retried', batch.state)) return 'wrong-state'
    await avoidScans(tx)
    const hasKept = hasMailServer && batch.mailsKept > 0
    let mails = 0
    for (let some = mailsInStep; some === mailsInStep; mails += some)
      some = await retryFailed(tx, batchId, mailsInStep, hasKept)
    if (mails === 0) return 'wrong-state'
    await recordEvent(tx, { kind: 'mails-retried', actorId, batchId, details: { mails } })
    return 'done'
  })
}
