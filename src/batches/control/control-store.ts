import { and, eq, or, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { int, rowsOf } from '../../db/rows.ts'
import { batchChunks, batches } from '../../db/schema.ts'
import { first } from '../../lib/ends.ts'

export async function cancelledWithRest(db: Db): Promise<number[]> {
  const owes = sql`${batches.mailsQueued} + ${batches.mailsHeld} + ${batches.mailsDeferred} > 0`
  const hasLines = sql`exists (select from ${batchChunks} where ${batchChunks.batchId} = ${batches.id})`
  const rows = await db
    .select({ id: batches.id })
    .from(batches)
    .where(and(eq(batches.state, 'cancelled'), or(owes, hasLines)))
  return rows.map(row => row.id)
}

/** Forces indexes: right after a first intake the statistics say "empty". */
export async function avoidScans(tx: Db): Promise<void> {
  await tx.execute(sql`set local enable_seqscan = off`)
}

export async function owesNothing(tx: Db, batchId: number): Promise<boolean> {
  const open = sql`${batches.mailsQueued} + ${batches.mailsSending} + ${batches.mailsHeld} + ${batches.mailsDeferred}`
  const [row] = await tx
    .select({ open: sql<number>`${open}` })
    .from(batches)
    .where(eq(batches.id, batchId))
  return row?.open === 0
}

const linesInChunk = 5000

/** Copies lines that a canceled batch never sent, with their numbers, to be judged again. Returns how many. */
export async function copyUnsentLines(tx: Db, fromBatchId: number, toBatchId: number): Promise<number> {
  const row = first(
    await rowsOf(tx, { lines: int })`
    with unsent as (
      select r.line, r.text, r.address, r.address_key,
        split_part(r.address_key, '@', 2) in (select name from domains) as is_ours, (row_number() over (order by r.line) - 1) / ${linesInChunk} as chunk
      from recipients r
      left join people p on p.address_key = r.address_key
      left join deliveries d on d.person_id = p.id and d.batch_id = ${fromBatchId}
      where r.batch_id = ${fromBatchId} and r.verdict = 'invite'
        and (d.id is null or (d.state = 'cancelled' and not d.may_have_arrived))
    ), written as (
      insert into batch_chunks (batch_id, first_line, line_numbers, texts, addresses, address_keys, verdicts, reasons, suggestions)
      select ${toBatchId}, min(line), string_agg(line::text, E'\n' order by line),
        string_agg(case when text = address then '' else text end, E'\n' order by line),
        string_agg(address, E'\n' order by line),
        string_agg(case when address_key = address then '' else address_key end, E'\n' order by line),
        string_agg(case when is_ours then '' else 'foreign' end, E'\n' order by line),
        string_agg(case when is_ours then '' else 'foreign-domain' end, E'\n' order by line), repeat(E'\n', count(*)::int - 1)
      from unsent group by chunk
    )
    select count(*) as lines from unsent`
  )
  return row.lines
}
