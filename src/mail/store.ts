/** Deliveries queued, canceled and retried; suppressed addresses. The worker's own statements are in queue/store.ts. */
import { eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, int, orNull, rowsOf, text } from '../db/rows.ts'
import { suppressions } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import { copyQueued, propagateStates, reopenBatch } from './copies-store.ts'

export interface NewDelivery {
  personId: number
  invitationId: number | null
  address: string
  /** Without a batch, only a pause of the transport can hold it. */
  batchId?: number | null
  /** 0 (the default) for typed addresses, 1 for files and groups. */
  priority?: 0 | 1
}

/** Queues an email as the person's newest; a finished batch is sending again. Returns the delivery's id. */
export async function queueDelivery(tx: Db, delivery: NewDelivery): Promise<number> {
  const { personId, invitationId, address, batchId = null, priority = 0 } = delivery
  const rows = await rowsOf(tx, { id: int })`
    with added as (
      insert into deliveries (person_id, invitation_id, address, batch_id, priority)
      values (${personId}, ${invitationId}, ${address}, ${batchId}, ${priority}) returning id
    ), ${copyQueued(sql`(select id from added)`, personId, batchId)}
    select id from added`
  return first(rows).id
}

/** Queues an email about each of these accounts. It is not the person's newest: lists show invitations. */
export async function queueNotices(tx: Db, kind: string, personIds: number[]): Promise<void> {
  await tx.execute(sql`
    insert into deliveries (kind, person_id, address)
    select ${kind}, id, email from people
    where id = any(${sql.param(personIds)}::bigint[]) and suppression is distinct from 'bounced'`)
}

/** Takes one of the few emails that a visitor can have sent to a person (S21). False: that was enough for now. */
export async function queueRarely(tx: Db, kind: string, personId: number, kinds: string[]): Promise<boolean> {
  const rows = await tx.execute(sql`
    insert into deliveries (kind, person_id, address)
    select ${kind}, p.id, p.email from people p
    cross join lateral (
      select count(*) as today, max(queued_at) as newest from deliveries
      where person_id = p.id and kind = any(${sql.param(kinds)}::text[]) and queued_at > now() - interval '1 day'
    ) sent
    where p.id = ${personId} and p.suppression is distinct from 'bounced' and sent.today < 3
      and coalesce(sent.newest, '-infinity') < now() - interval '10 minutes'
    returning id`)
  return rows.length > 0
}

const fromBefore = sql`was`

export type Target = { batchId: number } | { invitationId: number } | { invitationIds: number[] } | { personId: number }

const targeted = (target: Target) => {
  if ('batchId' in target) return sql`batch_id = ${target.batchId}`
  if ('personId' in target) return sql`person_id = ${target.personId}`
  // through the person, because of the index
  if ('invitationIds' in target) {
    const ids = sql`${sql.param(target.invitationIds)}::bigint[]`
    return sql`invitation_id = any(${ids}) and person_id in (select person_id from invitations where id = any(${ids}))`
  }
  return sql`invitation_id = ${target.invitationId}
    and person_id = (select person_id from invitations where id = ${target.invitationId})`
}

export interface Canceled {
  invitationId: number | null
  mayHaveArrived: boolean
}

/** Cancels what is not in flight yet: at most `max`. */
export async function cancelQueued(tx: Db, target: Target, reason: string, max = 1_000_000): Promise<Canceled[]> {
  return rowsOf(tx, { invitationId: orNull(int), mayHaveArrived: bool })`
    with open as (
      select id, state as was from deliveries where ${targeted(target)} and state in ('queued', 'deferred', 'held')
      order by id limit ${max} for update
    ), changed as (
      update deliveries d set state = 'cancelled', settled_at = now(), server_reply = coalesce(server_reply, ${reason})
      from open where d.id = open.id
      returning d.id, d.person_id, d.batch_id, d.state, d.is_kept, d.invitation_id, d.may_have_arrived, open.was
    ), ${propagateStates(fromBefore)}
    select invitation_id, may_have_arrived from changed`
}

export async function peopleWithMail(tx: Db, ids: number[]): Promise<number[]> {
  const rows = await rowsOf(tx, { id: int })`
    select distinct person_id as id from deliveries
    where person_id = any(${sql.param(ids)}::bigint[]) and state in ('queued', 'deferred', 'held') order by 1`
  return rows.map(row => row.id)
}

export interface Suppression {
  cause: 'bounced' | 'opted-out'
  serverReply: string | null
  createdAt: Date
}

export async function findSuppression(db: Db, addressKey: string): Promise<Suppression | undefined> {
  const { cause, serverReply, createdAt } = suppressions
  const [row] = await db
    .select({ cause, serverReply, createdAt })
    .from(suppressions)
    .where(eq(suppressions.addressKey, addressKey))
  return row
}

export async function optOut(tx: Db, addressKey: string): Promise<void> {
  await tx.insert(suppressions).values({ addressKey, cause: 'opted-out' }).onConflictDoNothing()
}

/** False when the address was not suppressed. */
export async function liftSuppression(tx: Db, addressKey: string): Promise<boolean> {
  const rows = await tx
    .delete(suppressions)
    .where(eq(suppressions.addressKey, addressKey))
    .returning({ key: suppressions.addressKey })
  return rows.length > 0
}

/** Queues a batch's failed and unknown emails again, at most `max`; `hasKept`: also the outbox. Returns how many. */
export async function retryFailed(tx: Db, batchId: number, max = 1_000_000, hasKept = false): Promise<number> {
  const isKept = hasKept ? sql`or (state = 'sent' and is_kept)` : sql``
  const rows = await tx.execute(sql`
    with failed as (
      select id, state as was, is_kept as was_kept from deliveries
      where batch_id = ${batchId} and (state in ('failed', 'unknown') ${isKept})
      order by id limit ${max} for update
    ), changed as (
      update deliveries d set state = 'queued', attempts = 0, queued_at = now(), next_attempt_at = now(), settled_at = null,
        is_kept = false
      from failed where d.id = failed.id
      returning d.id, d.person_id, d.batch_id, d.state, d.is_kept, failed.was, failed.was_kept
    ), ${propagateStates(fromBefore, sql`was_kept`)}
    select id from changed`)
  if (rows.length > 0) await reopenBatch(tx, batchId)
  return rows.length
}

export async function readPause(db: Db): Promise<{ since: Date; reason: string } | undefined> {
  const [row] = await rowsOf(db, { pausedSince: text, reason: orNull(text) })`
    select paused_since, reason from mail_transport where id = 1 and paused_since is not null`
  return row && { since: new Date(row.pausedSince), reason: row.reason ?? '' }
}
