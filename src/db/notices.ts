import { sql } from 'drizzle-orm'
import { type Database, openListener } from './client.ts'

/** Calls `heard` for each notice and after each reconnect, since notices were missed then. Returns how to stop. */
export async function listen(db: Database, channel: string, heard: () => void): Promise<() => Promise<void>> {
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  let tries = 0
  const again = () => {
    clearTimeout(timer)
    if (!isOver) timer = setTimeout(subscribe, Math.min(50 * 2 ** tries++, 5_000)).unref()
  }
  const client = openListener(db, { onnotify: heard, onclose: again })
  async function subscribe() {
    try {
      await client`listen ${client(channel)}`
      tries = 0
      heard()
    } catch {
      again()
    }
  }
  await subscribe()
  return async () => {
    isOver = true
    clearTimeout(timer)
    await client.end({ timeout: 1 })
  }
}

/** Wakes every worker. A lost notice only costs time: workers poll every few seconds. */
export function notify(db: Database, channel: string): void {
  db.execute(sql`select pg_notify(${channel}, '')`).catch(() => {})
}
