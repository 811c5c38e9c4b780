/** A lease in the batch's row, so that any number of workers may run and a dead one is noticed. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, rowsOf } from '../../db/rows.ts'

export interface Taken {
  id: number
  /** Times in a row that the next lines were claimed, this one included. */
  failures: number
}

const leaseSeconds = 20

/** The batch with the fewest lines done, so that a small one never waits behind a large one. */
export async function takeBatch(db: Db): Promise<Taken | undefined> {
  const [row] = await rowsOf(db, { id: int, failures: int })`
    update batches set lease_until = now() + make_interval(secs => ${leaseSeconds}), failures = failures + 1
    where id = (
      select id from batches where state = 'checking' and coalesce(lease_until, now()) <= now()
      order by judged + sent_through_line, id limit 1 for update skip locked
    ) returning id, failures`
  return row
}

/** In the transaction that did some lines. */
export async function renewLease(tx: Db, batchId: number): Promise<void> {
  await tx.execute(
    sql`update batches set lease_until = now() + make_interval(secs => ${leaseSeconds}), failures = 1 where id = ${batchId}`
  )
}

export async function releaseBatch(db: Db, batchId: number, seconds = 0): Promise<void> {
  const hasFailed = seconds > 0
  await db.execute(sql`
    update batches set lease_until = case when ${hasFailed} then now() + make_interval(secs => ${seconds}) end,
      failures = case when ${hasFailed} then failures else 0 end
    where id = ${batchId}`)
}
