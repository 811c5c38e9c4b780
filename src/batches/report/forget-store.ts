/** Lines of finished batches are deleted after the days in the settings, in small steps; counts stay. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'

const linesInStep = 10_000

/** Takes the batch that finished first. False when there is none. */
export async function forgetLines(db: Db): Promise<boolean> {
  const rows = await db.execute(sql`
    with old as (
      select b.id from batches b cross join settings s
      where b.finished_at < now() - make_interval(days => s.line_days)
        and exists (select from recipients r where r.batch_id = b.id)
      order by b.id limit 1
    ), gone as (
      select r.batch_id, r.line from recipients r join old on old.id = r.batch_id order by r.line limit ${linesInStep}
    )
    delete from recipients r using gone g where r.batch_id = g.batch_id and r.line = g.line returning 1`)
  return rows.length > 0
}
