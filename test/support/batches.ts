/** Batches over the form, and their rows in the database. */
import type { Database } from '../../src/db/client.ts'
import { verdicts } from '../../src/db/schema.ts'
import type { Browser } from './app.ts'
import { multipart } from './multipart.ts'

export interface UploadOptions {
  action?: 'send' | 'check'
  name?: string
}

/** Uploads a list as the form does; returns the batch's id. No worker has started on it. */
export async function upload(browser: Browser, content: string | Buffer | string[], options: UploadOptions = {}) {
  const { action = 'send', name = 'people.txt' } = options
  const text = Array.isArray(content) ? content.join('\n') : content
  const answer = await browser.upload('/bulk', multipart({ action }, { name, content: text }))
  if (answer.statusCode !== 303) throw new Error(`the upload was answered ${answer.statusCode}`)
  return Number(/^\/batches\/(\d+)$/.exec(answer.headers.location!)![1])
}

export async function batchOf(db: Database, id: number) {
  const [batch] = await db.$client`select * from batches where id = ${id}`
  return batch as Record<string, number> & { state: string; stopReason: string | null; sentBy: string }
}

export interface Line {
  line: number
  text: string
  verdict: string
  firstLine: number | null
}

/** The judged lines of a batch, in order. */
export async function linesOf(db: Database, id: number) {
  const rows = await db.$client`
    select line, text, verdict, first_line, reason, suggestion from recipients where batch_id = ${id} order by line`
  return [...rows] as (Line & { reason: string | null; suggestion: string | null })[]
}

export const verdictsOf = async (db: Database, id: number) => (await linesOf(db, id)).map(({ verdict }) => verdict)

const mailStates = [
  'queued',
  'sending',
  'held',
  'sent',
  'deferred',
  'failed',
  'unknown',
  'bounced',
  'suppressed',
  'cancelled'
]

/** The count of emails in that state, among the columns of a batch. */
export const mailsIn = (state: string) => `mails${state[0]!.toUpperCase()}${state.slice(1)}`

/** The counts of a batch that are not zero; throws if they differ from its rows, or do not add up to its lines. */
export async function countsOf(db: Database, id: number) {
  const batch = await batchOf(db, id)
  const sql = db.$client
  const [lines, mails, waiting] = await Promise.all([
    sql`select verdict as name, count(*) as n from recipients where batch_id = ${id} group by 1`,
    sql`select state as name, count(*) as n from deliveries where batch_id = ${id} group by 1`,
    sql`select line_numbers from batch_chunks where batch_id = ${id}`
  ])
  const kept = { lines: pick(verdicts, name => batch[name]!), mails: pick(mailStates, name => batch[mailsIn(name)]!) }
  const real = { lines: counted(lines), mails: counted(mails) }
  for (const part of ['lines', 'mails'] as const) {
    if (inOrder(kept[part]) !== inOrder(real[part]))
      throw new Error(`${part}: ${inOrder(kept[part])} in the batch, ${inOrder(real[part])} in its rows`)
  }
  await checkPeople(db)
  const judged = sum(real.lines)
  if (judged !== batch.judged) throw new Error(`${batch.judged} lines judged, but there are ${judged}`)
  const open = waiting.reduce((all, row) => all + row.lineNumbers.split('\n').length, 0)
  const isAllThere = !['cancelled', 'incomplete', 'receiving'].includes(batch.state)
  if (isAllThere && judged + open !== batch.lines) throw new Error(`${judged} and ${open} are not ${batch.lines} lines`)
  return { state: batch.state, all: batch.lines, ...kept }
}

/** People's counts and the state of their newest email agree with their rows. */
async function checkPeople(db: Database) {
  const off = await db.$client`
    with kept as (
      select stage, delivery, expires_at, is_kept, was_invited, was_handed_over, sum(people) as n from people_counts
      group by 1, 2, 3, 4, 5, 6 having sum(people) <> 0
    ), real as (
      select stage, delivery, case when stage = 'invited' then invitation_expires_at end,
        coalesce(delivery = 'sent' and delivery_is_kept, false), invitation_id is not null, was_handed_over, count(*)
      from people group by 1, 2, 3, 4, 5, 6
    )
    (table kept except table real) union all (table real except table kept)`
  if (off.length > 0) throw new Error(`people are counted wrong: ${JSON.stringify(off)}`)
  const stray = await db.$client`
    select p.id from people p join deliveries d on d.id = p.delivery_id
    where p.delivery_state <> d.state or (d.state = 'sent' and p.delivery_is_kept <> d.is_kept)`
  if (stray.length > 0) throw new Error(`${stray.length} people show another delivery state`)
  const miscounted = await db.$client`
    select b.id from batches b where b.mails_kept <> (
      select count(*) from deliveries d where d.batch_id = b.id and d.state = 'sent' and d.is_kept
    )`
  if (miscounted.length > 0) throw new Error(`${miscounted.length} batches count their kept mails wrong`)
}

const pick = (names: readonly string[], read: (name: string) => number) =>
  Object.fromEntries(names.map(name => [name, read(name)]).filter(([, n]) => n)) as Record<string, number>
const counted = (rows: Iterable<{ name?: string; n?: number }>) =>
  Object.fromEntries([...rows].map(({ name, n }) => [name, n])) as Record<string, number>
const inOrder = (counts: Record<string, number>) => JSON.stringify(Object.entries(counts).sort())
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, n) => all + n, 0)

/** The counts that a page shows: by verdict, and by mail state where one name is both. */
export function shownCounts(page: string): Record<string, number[]> {
  const found: Record<string, number[]> = {}
  for (const [, name, value] of page.matchAll(/data-count="([\w-]+)" data-value="(\d+)"/g)) {
    found[name!] = [...(found[name!] ?? []), Number(value)]
  }
  return found
}

/** The kinds of the events since the last one in `db`, oldest first. */
export async function eventsSince(db: Database, id: number): Promise<string[]> {
  return [...(await db.$client`select kind from events where id > ${id} order by id`)].map(row => row.kind)
}

export async function lastEvent(db: Database): Promise<number> {
  const [row] = await db.$client`select coalesce(max(id), 0) as id from events`
  return row!.id
}
