import { sql } from 'drizzle-orm'
import type { Database } from './client.ts'

/** Calls `heard` for every notice on `channel`, also after the connection was lost and found again. Returns how to stop. */
export async function listen(db: Database, channel: string, heard: () => void): Promise<() => Promise<void>> {
  const subscription = await db.$client.listen(channel, heard, heard)
  return subscription.unlisten
}

/** Wakes every worker. A notice that gets lost only costs time: they look by themselves every few seconds. */
export function notify(db: Database, channel: string): void {
  db.execute(sql`select pg_notify(${channel}, '')`).catch(() => {})
}
