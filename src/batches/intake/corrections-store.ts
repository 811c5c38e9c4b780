/** Which batch took the correction of a line, so that none is taken twice. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { oneOf, rowsOf } from '../../db/rows.ts'
import { recipients, verdicts } from '../../db/schema.ts'
import { first } from '../../lib/ends.ts'
import { verdictOfPerson } from '../judging/judge-store.ts'
import type { Verdict } from '../recipient.ts'

const problems: Verdict[] = ['malformed', 'foreign']

/** For each of these lines that was ever malformed or foreign: the batch that took its correction, or null. */
export async function correctableAmong(tx: Db, batchId: number, lines: number[]): Promise<Map<number, number | null>> {
  const { line, verdict, correctedIn } = recipients
  const rows = await tx
    .select({ line, verdict, correctedIn })
    .from(recipients)
    .where(and(eq(recipients.batchId, batchId), inArray(line, lines)))
  const isOne = (row: (typeof rows)[number]) => problems.includes(row.verdict) || row.correctedIn !== null
  return new Map(rows.filter(isOne).map(row => [row.line, row.correctedIn]))
}

export async function countAddresses(tx: Db, batchId: number, keys: string[]): Promise<number> {
  const row = first(
    await tx
      .select({ count: sql<number>`count(distinct ${recipients.addressKey})` })
      .from(recipients)
      .where(and(eq(recipients.batchId, batchId), inArray(recipients.addressKey, keys)))
  )
  return row.count
}

export interface CorrectedLine {
  line: number
  address: string
  key: string
}

export async function markCorrected(
  tx: Db,
  batchId: number,
  lines: readonly CorrectedLine[],
  correctedIn: number
): Promise<void> {
  const numbers = sql.param(lines.map(({ line }) => line))
  const addresses = sql.param(lines.map(({ address }) => address))
  await tx.execute(sql`
    update recipients r set corrected_in = ${correctedIn}, corrected_to = g.address
    from unnest(${numbers}::int[], ${addresses}::text[]) as g(line, address)
    where r.batch_id = ${batchId} and r.line = g.line and r.corrected_in is null`)
}

/** Replaces lines; returns by how much each count changed. Hold `lockInviting` and the batch's lock. */
export async function rejoin(
  tx: Db,
  batchId: number,
  lines: readonly CorrectedLine[]
): Promise<Partial<Record<Verdict, number>>> {
  const column = (pick: (line: CorrectedLine) => string | number) => sql.param(lines.map(pick))
  const rows = await rowsOf(tx, { before: oneOf(verdicts), after: oneOf(verdicts) })`
    with given as (
      select g.*, min(g.line) over (partition by g.key) as first_here
      from unnest(${column(each => each.line)}::int[], ${column(each => each.address)}::text[],
        ${column(each => each.key)}::text[]) as g(line, address, key)
    ), judged as (
      select g.line, g.address, g.key, coalesce(e.line, g.first_here) as first_line,
        case when e.line is not null or g.first_here < g.line then 'duplicate' else ${verdictOfPerson} end as verdict
      from given g
      left join recipients e on e.batch_id = ${batchId} and e.address_key = g.key
        and e.verdict not in ('malformed', 'foreign', 'duplicate')
      left join people p on p.address_key = g.key
      left join suppressions s on s.address_key = g.key
    )
    update recipients r set address = j.address, address_key = j.key, verdict = j.verdict, reason = null,
      suggestion = null, first_line = case when j.verdict = 'duplicate' then j.first_line end, corrected_in = ${batchId},
      corrected_to = j.address
    from judged j join recipients o on o.batch_id = ${batchId} and o.line = j.line
    where r.batch_id = ${batchId} and r.line = j.line and r.corrected_in is null
    returning o.verdict as before, r.verdict as after`
  const changes: Partial<Record<Verdict, number>> = {}
  for (const { before, after } of rows) {
    changes[before] = (changes[before] ?? 0) - 1
    changes[after] = (changes[after] ?? 0) + 1
  }
  return changes
}
