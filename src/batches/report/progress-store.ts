import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { float, int, orNull, rowsOf, text } from '../../db/rows.ts'

/** Records the progress of every batch that is being sent; forgets what is minutes old. */
export async function sampleProgress(db: Db): Promise<void> {
  await db.execute(sql`
    with old as (delete from batch_samples where at < now() - interval '2 minutes')
    insert into batch_samples (batch_id, settled)
    select id, mails_sent + mails_failed + mails_unknown + mails_bounced + mails_suppressed + mails_cancelled
    from batches where state = 'sending' on conflict do nothing`)
}

/** Emails finished per second over the last minute, or undefined when too little is known. */
export async function rateOf(db: Db, batchId: number): Promise<number | undefined> {
  const [row] = await rowsOf(db, { rate: orNull(float) })`
    select (max(settled) - min(settled)) / nullif(extract(epoch from max(at) - min(at)), 0)::float as rate
    from batch_samples where batch_id = ${batchId} and at > now() - interval '1 minute'`
  return row?.rate ?? undefined
}

const looked = 1000

/** The mail server's most frequent reply to the first thousand emails that wait for another try. */
export async function reasonsOfWaiting(db: Db, batchId: number): Promise<{ reply: string; count: number }[]> {
  return rowsOf(db, { reply: text, count: int })`
    select reply, count(*) as count from (
      select coalesce(server_reply, 'no answer') as reply from deliveries
      where batch_id = ${batchId} and state = 'deferred' limit ${looked}
    ) waiting group by reply order by count(*) desc, reply limit 3`
}
