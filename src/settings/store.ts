import type { Db } from '../db/client.ts'
import { settings } from '../db/schema.ts'

export async function writeLineDays(tx: Db, lineDays: number): Promise<void> {
  await tx.update(settings).set({ lineDays })
}
