import { and, asc, count, desc, eq, gt, inArray, isNull, lt, ne, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { contains, containsByIndex, searchPage } from '../../db/paged-search.ts'
import { int, rowsOf } from '../../db/rows.ts'
import { batches, deliveries, type deliveryStates, directoryGroups, people, recipients } from '../../db/schema.ts'
import { hasOpenInvitation } from '../../people/conditions.ts'
import type { Verdict } from '../recipient.ts'

export interface LineFilter {
  verdicts?: Verdict[] | undefined
  delivery?: (typeof deliveryStates)[number] | undefined
  q?: string | undefined
  isOpen?: boolean
}

export interface ListedLine {
  line: number
  text: string
  address: string | null
  verdict: Verdict
  reason: string | null
  suggestion: string | null
  firstLine: number | null
  correctedIn: number | null
  correctedTo: string | null
  personId: number | null
  openInvitationId: number | null
  delivery: (typeof deliveryStates)[number] | null
  serverReply: string | null
  isKept: boolean | null
  mayHaveArrived: boolean | null
  settledAt: Date | null
}

/** One page of a batch's lines in order, after line `after`, each with its person and its email. */
export async function listLines(
  db: Db,
  batchId: number,
  filter: LineFilter,
  limit: number,
  after = 0
): Promise<ListedLine[]> {
  const isLater = and(eq(recipients.batchId, batchId), gt(recipients.line, after))
  const { verdicts, delivery, q } = filter
  const isOfVerdict = and(
    verdicts && inArray(recipients.verdict, verdicts),
    filter.isOpen ? isNull(recipients.correctedIn) : undefined
  )
  const isFound = q ? isFoundBy(contains, q) : undefined
  const read = (source: Source, where: SQL | undefined) => linesFrom(db, batchId, source, where, delivery, limit)
  if (!isFound && !delivery) return read(recipients, and(isLater, isOfVerdict))
  return searchPage<ListedLine, number>(limit, {
    async near(window) {
      const next = some(db.select().from(recipients).where(isLater).orderBy(asc(recipients.line)).limit(window))
      const beyond = sql`select 1 from recipients where ${isLater} order by line offset ${window} limit 1`
      const [rows, more] = await Promise.all([read(next, and(isOfVerdict, isFound)), db.execute(beyond)])
      return { rows, isAll: more.length === 0 }
    },
    async keys(max) {
      const isHere = eq(recipients.batchId, batchId)
      if (delivery) return linesMailed(db, batchId, delivery, max)
      const isHit = and(isHere, isOfVerdict, q ? isFoundBy(containsByIndex, q) : undefined)
      return (await db.select({ line: recipients.line }).from(recipients).where(isHit).limit(max)).map(row => row.line)
    },
    byKeys: lines =>
      read(recipients, and(isLater, sql`${recipients.line} = any(${sql.param(lines)}::int[])`, isOfVerdict, isFound)),
    walk: () => read(recipients, and(isLater, isOfVerdict, isFound))
  })
}

const isFoundBy = (has: typeof contains, q: string) =>
  sql`(${has(sql`lower(${recipients.text})`, q)} or ${has(sql`${recipients.alsoFoundBy}`, q)})`

type Source = typeof recipients

/** A subquery under the name of the table that it replaces. */
function some(query: { as: (name: string) => unknown }): Source {
  return query.as('recipients') as Source
}

async function linesMailed(
  db: Db,
  batchId: number,
  delivery: NonNullable<LineFilter['delivery']>,
  max: number
): Promise<number[]> {
  const rows = await rowsOf(db, { line: int })`
    select r.line from (
      select person_id from deliveries where batch_id = ${batchId} and state = ${delivery} limit ${max}
    ) d cross join lateral (select address_key from people where id = d.person_id offset 0) p
    cross join lateral (
      select line from recipients where batch_id = ${batchId} and address_key = p.address_key and verdict = 'invite'
        and verdict not in ('malformed', 'foreign', 'duplicate') offset 0
    ) r`
  return rows.map(row => row.line)
}

async function linesFrom(
  db: Db,
  batchId: number,
  source: Source,
  where: SQL | undefined,
  delivery: LineFilter['delivery'],
  limit: number
): Promise<ListedLine[]> {
  const { line, text, address, verdict, reason, suggestion, firstLine, correctedIn, correctedTo } = recipients
  return db
    .select({
      line,
      text,
      address,
      verdict,
      reason,
      suggestion,
      firstLine,
      correctedIn,
      correctedTo,
      personId: people.id,
      openInvitationId: sql<number | null>`case when ${hasOpenInvitation(people)} then ${people.invitationId} end`,
      delivery: deliveries.state,
      serverReply: deliveries.serverReply,
      isKept: deliveries.isKept,
      mayHaveArrived: deliveries.mayHaveArrived,
      settledAt: deliveries.settledAt
    })
    .from(source)
    .leftJoin(people, eq(people.addressKey, recipients.addressKey))
    .leftJoin(
      deliveries,
      and(eq(deliveries.personId, people.id), eq(deliveries.batchId, batchId), eq(recipients.verdict, 'invite'))
    )
    .where(and(where, delivery ? eq(deliveries.state, delivery) : undefined))
    .orderBy(asc(recipients.line))
    .limit(limit)
}

export async function listBatches(db: Db, limit: number, before?: number) {
  return db
    .select({ batch: batches, creatorName: people.name, groupName: directoryGroups.name })
    .from(batches)
    .leftJoin(people, eq(people.id, batches.createdBy))
    .leftJoin(directoryGroups, eq(directoryGroups.id, batches.groupId))
    .where(before === undefined ? undefined : lt(batches.id, before))
    .orderBy(desc(batches.id))
    .limit(limit)
}

export async function correctedOf(db: Db, batchId: number): Promise<Partial<Record<Verdict, number>>> {
  const isCorrected = and(eq(recipients.batchId, batchId), ne(recipients.correctedIn, batchId))
  const { verdict } = recipients
  const counts = db.select({ verdict, count: count() }).from(recipients).where(isCorrected).groupBy(verdict)
  return Object.fromEntries((await counts).map(row => [row.verdict, row.count]))
}

export async function correctionsOf(db: Db, batchId: number): Promise<{ id: number; lines: number }[]> {
  const { id, lines } = batches
  return db.select({ id, lines }).from(batches).where(eq(batches.correctsBatchId, batchId)).orderBy(asc(id)).limit(20)
}

export async function restOf(db: Db, batchId: number): Promise<number | undefined> {
  const [row] = await db.select({ id: batches.id }).from(batches).where(eq(batches.restOfBatchId, batchId))
  return row?.id
}
