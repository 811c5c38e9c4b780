import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { type Pacing, writePacing } from '../mail/queue/gate-store.ts'
import { writeLineDays } from './store.ts'

/** Saves how fast mail leaves and how long the lines of batches are kept: one event, with the new values. */
export async function changeMail(db: Database, actorId: number, changed: Pacing & { lineDays: number }): Promise<void> {
  await transaction(db, async tx => {
    await writePacing(tx, changed)
    await writeLineDays(tx, changed.lineDays)
    await recordEvent(tx, { kind: 'mail-settings-changed', actorId, details: { ...changed } })
  })
}
