/** Work for one process at a time: the lock ends with its connection, so it never has to be cleared. */
import { type Database, inTime } from './client.ts'

const timeoutMs = 10_000

/** Runs `work` while holding the named lock; undefined immediately when another process holds it. */
export async function whileLocked<T>(db: Database, name: string, work: () => Promise<T>): Promise<T | undefined> {
  const reserving = db.$client.reserve()
  const connection = await inTime(reserving, timeoutMs).catch(error => {
    reserving.then(late => late.release()).catch(() => {})
    throw error
  })
  try {
    const [row] = await inTime(connection`select pg_try_advisory_lock(hashtext(${name})) as mine`, timeoutMs)
    if (!row?.mine) return undefined
    try {
      return await work()
    } finally {
      // a broken connection has released its lock already
      await inTime(connection`select pg_advisory_unlock(hashtext(${name}))`, timeoutMs).catch(() => {})
    }
  } finally {
    connection.release()
  }
}
