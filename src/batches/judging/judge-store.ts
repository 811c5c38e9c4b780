import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { bool, int, oneOf, orNull, type RowOf, rowsOf } from '../../db/rows.ts'
import { batchChunks, domains, verdicts } from '../../db/schema.ts'
import { whyNotInvited } from '../../people/conditions.ts'
import { lockAddresses } from '../../people/store.ts'
import type { Chunk } from '../chunk.ts'
import type { Verdict } from '../recipient.ts'

/** One inviter at a time, and no sync at the same time. */
export async function lockInviting(tx: Db): Promise<void> {
  await lockAddresses(tx)
  // force indexes: right after a first intake the statistics say "empty"
  await tx.execute(sql`set local enable_seqscan = off`)
}

export interface NextChunk {
  firstLine: number
  action: 'send' | 'check'
  sentBy: number
}

/** The next lines of a batch that is being checked; the caller must hold its lease. */
export async function nextChunk(tx: Db, batchId: number): Promise<NextChunk | undefined> {
  const [row] = await rowsOf(tx, { firstLine: int, action: oneOf(['send', 'check']), sentBy: int })`
    select c.first_line, b.action, coalesce(b.sent_by, b.created_by) as sent_by
    from batch_chunks c join batches b on b.id = c.batch_id
    where b.id = ${batchId} and b.state = 'checking' order by c.first_line limit 1 for update of c nowait`
  return row
}

export async function insertChunk(tx: Db, batchId: number, chunk: Chunk): Promise<void> {
  await tx.insert(batchChunks).values({ batchId, ...chunk })
}

const linesInStep = 5000

/** The next lines of a checked batch to send: the range, and how many are to be invited. */
export async function nextLinesToSend(
  tx: Db,
  batchId: number
): Promise<{ fromLine: number; toLine: number; lines: number; sentBy: number } | undefined> {
  const [row] = await rowsOf(tx, { fromLine: orNull(int), toLine: orNull(int), lines: int, sentBy: orNull(int) })`
    select min(r.line) as from_line, max(r.line) as to_line, count(*) filter (where r.verdict = 'invite') as lines,
      min(r.sent_by) as sent_by
    from (
      select r.line, r.verdict, coalesce(b.sent_by, b.created_by) as sent_by
      from batches b join recipients r on r.batch_id = b.id and r.line > b.sent_through_line
      where b.id = ${batchId} and b.state = 'checking' and b.action = 'send'
      order by r.line limit ${linesInStep}
    ) r`
  const { fromLine = null, toLine = null, lines = 0, sentBy = null } = row ?? {}
  return fromLine === null || toLine === null || sentBy === null ? undefined : { fromLine, toLine, lines, sentBy }
}

export async function setSentThrough(tx: Db, batchId: number, line: number): Promise<void> {
  await tx.execute(sql`update batches set sent_through_line = ${line} where id = ${batchId}`)
}

export interface Judgement {
  counts: Partial<Record<Verdict, number>>
  fromLine: number
  toLine: number
  hasFormerlyInvited: boolean
  /** A line to be invited names the directory's address of a person who has another one here. */
  hasOtherAddress: boolean
}

/** The one person with the address `key` in the directory, unless a person has it here. */
const byOtherAddress = (key: SQL) => sql`lateral (
  select min(o.id) as id, min(o.address_key) as address_key from people o
  where o.directory_mail_key = ${key} and not exists (select from people q where q.address_key = ${key})
  having count(*) = 1)`

const split = (column: SQL) => sql`string_to_table(${column}, E'\n', '')`

const linesOf = (batchId: number, firstLine: number) => sql`
  chunk as (
    delete from batch_chunks where batch_id = ${batchId} and first_line = ${firstLine} returning *
  ), lines as materialized (
    select l.line::int, coalesce(l.text, l.address) as text, l.address, coalesce(l.key, l.address) as key, l.verdict,
      l.reason, l.suggestion
    from chunk c cross join lateral rows from (
      ${split(sql`c.line_numbers`)}, ${split(sql`c.texts`)}, ${split(sql`c.addresses`)}, ${split(sql`c.address_keys`)},
      ${split(sql`c.verdicts`)}, ${split(sql`c.reasons`)}, ${split(sql`c.suggestions`)}
    ) as l(line, text, address, key, verdict, reason, suggestion)
  )`

/** Gives a chunk's lines their final verdicts (docs/requirements.md, Verdicts) in the database. Hold `lockInviting`. */
export async function insertRecipients(tx: Db, batchId: number, firstLine: number): Promise<Judgement> {
  const rows = await rowsOf(tx, judgedLines)`
    with ${linesOf(batchId, firstLine)}, known as materialized (
      select l.*, other.id as other_id, coalesce(other.address_key, l.key) as own_key
      from lines l left join ${byOtherAddress(sql`l.key`)} other on l.verdict is null
    ), firsts as materialized (
      select *, case when verdict is null then min(line) over (partition by verdict, own_key) end as first_here from known
    ), judged as materialized (
      select l.line, l.text, l.address, l.key, l.reason, l.suggestion, coalesce(earlier.line, l.first_here) as first_line,
        p.invitation_id is not null as formerly, l.other_id is not null as is_other,
        case
          when l.verdict is not null then l.verdict
          when earlier.line is not null or l.first_here < l.line then 'duplicate'
          else ${verdictOfPerson}
        end as verdict
      from firsts l
      left join lateral (
        select e.line from recipients e where e.batch_id = ${batchId} and e.address_key in (l.key, l.own_key)
          and e.verdict not in ('malformed', 'foreign', 'duplicate') order by e.line limit 1
      ) earlier on l.verdict is null
      left join people p on p.address_key = l.own_key and l.verdict is null
      left join suppressions s on s.address_key = l.key and l.verdict is null
    ), written as (
      insert into recipients (batch_id, line, text, address, address_key, verdict, reason, suggestion, first_line)
      select ${batchId}, line, text, address, key, verdict, reason, suggestion, case when verdict = 'duplicate' then first_line end
      from judged
    )
    select verdict, count(*) as count, min(line) as from_line, max(line) as to_line,
      bool_or(formerly and verdict = 'invite') as formerly, bool_or(is_other and verdict = 'invite') as other
    from judged group by verdict`
  return judgementOf(rows)
}

const judgedLines = {
  verdict: oneOf(verdicts),
  count: int,
  fromLine: int,
  toLine: int,
  formerly: orNull(bool),
  other: orNull(bool)
}

const judgementOf = (rows: RowOf<typeof judgedLines>[]): Judgement => ({
  counts: Object.fromEntries(rows.map(row => [row.verdict, row.count])),
  fromLine: Math.min(...rows.map(row => row.fromLine)),
  toLine: Math.max(...rows.map(row => row.toLine)),
  hasFormerlyInvited: rows.some(row => row.formerly),
  hasOtherAddress: rows.some(row => row.other)
})

export const verdictOfPerson = sql`case ${whyNotInvited(sql`p`, sql`s.address_key is not null`)} else 'invite' end`

/** People and domains may have changed since. Returns how many lines changed to which verdict. */
export async function judgeAgain(
  tx: Db,
  batchId: number,
  fromLine: number,
  toLine: number
): Promise<Partial<Record<Verdict, number>>> {
  const rows = await rowsOf(tx, { verdict: oneOf(verdicts), count: int })`
    with now_is as (
      select r.line, case when o.name is null then 'foreign' else ${verdictOfPerson} end as verdict
      from recipients r
      left join ${domains} o on o.name = split_part(r.address_key, '@', 2)
      left join ${byOtherAddress(sql`r.address_key`)} other on true
      left join people p on p.address_key = coalesce(other.address_key, r.address_key)
      left join suppressions s on s.address_key = r.address_key
      where r.batch_id = ${batchId} and r.line between ${fromLine} and ${toLine} and r.verdict = 'invite'
        and not exists (select from deliveries d where d.batch_id = ${batchId} and d.person_id = p.id)
    ), changed as (
      update recipients r set verdict = n.verdict, reason = case when n.verdict = 'foreign' then 'foreign-domain' end
      from now_is n
      where r.batch_id = ${batchId} and r.line = n.line and n.verdict <> 'invite'
      returning n.verdict
    )
    select verdict, count(*) as count from changed group by verdict`
  return Object.fromEntries(rows.map(row => [row.verdict, row.count]))
}
