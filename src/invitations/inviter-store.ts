/** The open invitations of an inviter, and what happens to them when the inviter is deactivated (S38). */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, rowsOf } from '../db/rows.ts'
import { invitations } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import { isOneOf } from '../lib/known.ts'
import { cancelQueued } from '../mail/store.ts'
import { isOpen } from './conditions.ts'
import { revoke } from './store.ts'

/** Which of them end: those typed by hand, which the inviter chose one by one, all, or none. */
export const endings = ['typed', 'all', 'none'] as const
export type Ending = (typeof endings)[number]
export const isEnding = (text: string): text is Ending => isOneOf(endings, text)

/** Batches are few: an inviter without any is recognized without a look at a million invitations. */
const batchesOf = (inviterIds: number[]) =>
  sql`select id, source in ('typed', 'correction') as is_typed from batches
    where coalesce(sent_by, created_by) = any(${sql.param(inviterIds)}::bigint[])`

export async function countOpenOf(db: Db, inviterIds: number[]): Promise<{ typed: number; listed: number }> {
  const [any] = await db.execute(sql`${batchesOf(inviterIds)} limit 1`)
  if (!any) return { typed: 0, listed: 0 }
  return first(
    await rowsOf(db, { typed: int, listed: int })`
    select count(*) filter (where b.is_typed) as typed, count(*) filter (where not b.is_typed) as listed
    from invitations i join (${batchesOf(inviterIds)}) b on b.id = i.batch_id
    where i.invited_by = any(${sql.param(inviterIds)}::bigint[]) and ${isOpen(sql`i`)}`
  )
}

/** Revokes invitations and cancels unsent emails; returns how many. Hold the addresses' lock. Locks people by id. */
export async function endInvitationsOf(tx: Db, inviterIds: number[], ending: Ending): Promise<number> {
  if (ending === 'none' || inviterIds.length === 0) return 0
  const found = await rowsOf(tx, { id: int })`
    select i.id from invitations i join (${batchesOf(inviterIds)}) b on b.id = i.batch_id
      join people p on p.id = i.person_id
    where i.invited_by = any(${sql.param(inviterIds)}::bigint[]) and ${isOpen(sql`i`)} and ${ending === 'all' ? sql`true` : sql`b.is_typed`}
    order by p.id for no key update of p`
  if (found.length === 0) return 0
  const isOne = sql`${invitations.id} = any(${sql.param(found.map(({ id }) => id))}::bigint[])`
  const ids = await revoke(tx, sql`${isOne} and ${invitations.expiresAt} > now()`)
  await cancelQueued(tx, { invitationIds: ids }, 'the inviter was deactivated')
  return ids.length
}
