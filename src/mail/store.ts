/** Every statement on deliveries, suppressions and the transport's row. Copies on people and batches move along. */
import { eq, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { deliveryStates, suppressions } from '../db/schema.ts'
import type { Claimed, Settlement } from './delivery.ts'

export interface NewDelivery {
  personId: number
  invitationId: number | null
  address: string
  /** Without a batch nothing but the transport's pause can hold it. */
  batchId?: number | null
  /** 0 (the default) for what an admin typed, 1 for a file or a group. */
  priority?: 0 | 1
}

/** Owes one person a mail, as the person's newest. A batch that was done is open again. Returns the delivery's id. */
export async function queueDelivery(tx: Db, delivery: NewDelivery): Promise<number> {
  const { personId, invitationId, address, batchId = null, priority = 0 } = delivery
  const [row] = await tx.execute<{ id: string }>(sql`
    with owed as (
      insert into deliveries (person_id, invitation_id, address, batch_id, priority)
      values (${personId}, ${invitationId}, ${address}, ${batchId}, ${priority}) returning id
    ), person as (
      update people set delivery_id = (select id from owed), delivery_state = 'queued' where id = ${personId}
    ), batch as (
      update batches set mails_queued = mails_queued + 1, state = case when state = 'done' then 'sending' else state end,
        finished_at = case when state = 'done' then null else finished_at end
      where id = ${batchId}
    )
    select id from owed`)
  return Number(row!.id)
}

/** In a worker's transaction: rather give up than make somebody's request wait for us, or deadlock with it. */
export async function waitBriefly(tx: Db): Promise<void> {
  await tx.execute(sql`select set_config('lock_timeout', '500ms', true)`)
}

/**
 * Leases due deliveries to this worker: of every batch that is sending an equal share, so that what somebody typed never
 * waits behind a file. `most` is roughly how many. Counts an attempt and fixes the Message-ID.
 */
export async function claimDue(tx: Db, most: number, leaseSeconds: number, mailHost: string): Promise<Claimed[]> {
  const rows = await tx.execute<ClaimedRow>(sql`
    with open_batch as materialized (
      select id, mails_queued from batches
      where state in ('checking', 'sending') and mails_queued + mails_deferred > 0
      order by id for no key update skip locked
    ), single as (
      select id, state, priority from deliveries
      where batch_id is null and state in ('queued', 'deferred') and next_attempt_at <= now()
      order by priority, next_attempt_at limit ${most} for update skip locked
    ), shared as (
      select d.id, d.state, d.priority from open_batch b cross join lateral (
        select id, state, priority from deliveries
        where batch_id = b.id and state in ('queued', 'deferred') and next_attempt_at <= now()
        order by priority, next_attempt_at
        limit (select greatest(10, ${most} / greatest(1, count(*) filter (where mails_queued > 0))) from open_batch)
        for update skip locked
      ) d
    ), chosen as (
      select id, state from (select * from single union all select * from shared) due order by priority limit ${2 * most}
    ), leased as (
      update deliveries d set state = 'sending', attempts = attempts + 1,
        lease_until = now() + make_interval(secs => ${leaseSeconds}),
        message_id = coalesce(message_id, d.id || '.' || replace(gen_random_uuid()::text, '-', '') || '@' || ${mailHost}::text)
      from chosen where d.id = chosen.id
      returning d.id, d.kind, d.person_id, d.invitation_id, d.batch_id, d.address, d.priority, d.attempts,
        d.may_have_arrived, d.message_id, chosen.state as was
    ), person as (
      update people p set delivery_state = 'sending' from leased where p.id = leased.person_id and p.delivery_id = leased.id
    ), counted as (
      update batches b set mails_sending = mails_sending + n, mails_queued = mails_queued - queued,
        mails_deferred = mails_deferred - (n - queued)
      from (select batch_id, count(*) as n, count(*) filter (where was = 'queued') as queued from leased group by batch_id) moved
      where b.id = moved.batch_id
    )
    select * from leased order by priority, id`)
  return rows.map(claimed)
}

/** Is a mail queued in a batch that is sending, whether or not somebody holds it at this moment? */
export async function isSomethingQueued(tx: Db): Promise<boolean> {
  const rows = await tx.execute(
    sql`select 1 from batches where state in ('checking', 'sending') and mails_queued > 0 limit 1`
  )
  return rows.length > 0
}

interface ClaimedRow extends Record<string, unknown> {
  id: string
  kind: string
  person_id: string
  invitation_id: string | null
  batch_id: string | null
  address: string
  priority: number
  attempts: number
  may_have_arrived: boolean
  message_id: string
}

const numberOrNull = (text: string | null) => (text === null ? null : Number(text))

function claimed(row: ClaimedRow): Claimed {
  return {
    id: Number(row.id),
    kind: row.kind,
    personId: Number(row.person_id),
    invitationId: numberOrNull(row.invitation_id),
    batchId: numberOrNull(row.batch_id),
    address: row.address,
    priority: row.priority,
    attempt: row.attempts,
    mayHaveArrived: row.may_have_arrived,
    messageId: row.message_id
  }
}

/**
 * Writes how attempts ended, for the leases that are still ours. What would be tried again too late (three days after
 * queueing, or after `until`) has failed. A batch of which nothing is open any more is done.
 */
export async function settle(tx: Db, settlements: Settlement[]): Promise<void> {
  const rows = settlements.map(({ delivery, ...s }) => ({ ...s, id: delivery.id, attempt: delivery.attempt }))
  await lockBatches(tx, settlements)
  await tx.execute(sql`
    with ended as (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as x(id bigint, attempt int, state text,
        reply text, wait float8, "isUncounted" bool, "mayHaveArrived" bool, suppress bool, until timestamptz)
    ), changed as (
      update deliveries d set
        state = case when e.state = 'deferred'
          and now() + make_interval(secs => e.wait) > least(d.queued_at + interval '3 days', e.until) then 'failed' else e.state end,
        server_reply = coalesce(e.reply, d.server_reply),
        attempts = d.attempts - case when e."isUncounted" then 1 else 0 end,
        next_attempt_at = case when e.state in ('queued', 'deferred') then now() + make_interval(secs => e.wait) else d.next_attempt_at end,
        may_have_arrived = d.may_have_arrived or e."mayHaveArrived",
        lease_until = null,
        settled_at = case when e.state in ('queued', 'deferred') then null else now() end
      from ended e where d.id = e.id and d.state = 'sending' and d.attempts = e.attempt
      returning d.id, d.person_id, d.batch_id, d.state, e.reply, e.suppress
    ), ${moveAlong(fromSending)}, suppressed as (
      insert into suppressions (address_key, cause, server_reply)
      select p.address_key, 'bounced', c.reply from changed c join people p on p.id = c.person_id where c.suppress
      on conflict do nothing
    )
    select 1`)
}

/** Everybody locks batches first and in one order. */
async function lockBatches(tx: Db, of: { delivery: Claimed }[]): Promise<void> {
  const ids = [...new Set(of.map(({ delivery }) => delivery.batchId).filter(id => id !== null))]
  if (ids.length === 0) return
  await tx.execute(sql`select 1 from batches where id = any(${sql.param(ids)}::bigint[]) order by id for no key update`)
}

/** The column of batches that counts each state. */
const counters = {
  queued: sql`mails_queued`,
  sending: sql`mails_sending`,
  sent: sql`mails_sent`,
  deferred: sql`mails_deferred`,
  failed: sql`mails_failed`,
  unknown: sql`mails_unknown`,
  bounced: sql`mails_bounced`,
  suppressed: sql`mails_suppressed`,
  cancelled: sql`mails_cancelled`
}

/** Carries the new states of `changed` over to people and to the counts of the batches; `was` is the state before. */
function moveAlong(was: SQL): SQL {
  const columns = Object.entries(counters)
  const deltas = columns.map(
    ([state, column]) =>
      sql`count(*) filter (where state = ${state}) - count(*) filter (where ${was} = ${state}) as ${column}`
  )
  const sums = columns.map(([, column]) => sql`${column} = b.${column} + m.${column}`)
  const open = [counters.queued, counters.sending, counters.deferred].map(column => sql`b.${column} + m.${column}`)
  const isOver = sql`b.state = 'sending' and ${sql.join(open, sql` + `)} = 0`
  return sql`moved as (
      select batch_id, ${sql.join(deltas, sql`, `)} from changed where batch_id is not null group by batch_id
    ), person as (
      update people p set delivery_state = c.state from changed c where p.id = c.person_id and p.delivery_id = c.id
    ), counted as (
      update batches b set ${sql.join(sums, sql`, `)},
        state = case when ${isOver} then 'done' else b.state end,
        finished_at = case when ${isOver} then now() else b.finished_at end
      from moved m where b.id = m.batch_id
    )`
}

const fromSending = sql`'sending'`
const fromBefore = sql`was`

/** Leases that ran out: their worker is gone, and what it sent nobody knows. Due again at once. Returns how many. */
export async function releaseExpired(tx: Db): Promise<number> {
  const rows = await tx.execute(sql`
    with expired as (
      select id from deliveries where state = 'sending' and lease_until < now() order by id limit 5000 for update skip locked
    ), changed as (
      update deliveries d set state = 'queued', lease_until = null, may_have_arrived = true, next_attempt_at = now()
      from expired where d.id = expired.id returning d.id, d.person_id, d.batch_id, d.state
    ), ${moveAlong(fromSending)}
    select id from changed`)
  return rows.length
}

export type Target = { batchId: number } | { invitationId: number } | { personId: number }

const targeted = (target: Target) => {
  if ('batchId' in target) return sql`batch_id = ${target.batchId}`
  return 'invitationId' in target ? sql`invitation_id = ${target.invitationId}` : sql`person_id = ${target.personId}`
}

/** Nothing more leaves for the target; what is on its way at this moment still does. Returns how many were called off. */
export async function cancelQueued(tx: Db, target: Target, reason: string): Promise<number> {
  const rows = await tx.execute(sql`
    with open as (
      select id, state as was from deliveries where ${targeted(target)} and state in ('queued', 'deferred') order by id for update
    ), changed as (
      update deliveries d set state = 'cancelled', settled_at = now(), server_reply = coalesce(server_reply, ${reason})
      from open where d.id = open.id returning d.id, d.person_id, d.batch_id, d.state, open.was
    ), ${moveAlong(fromBefore)}
    select id from changed`)
  return rows.length
}

/** Calls off what has not left of one invitation: it was revoked, answered or is sent anew. */
export async function cancelDeliveriesOf(tx: Db, invitationId: number): Promise<number> {
  return cancelQueued(tx, { invitationId }, 'Revoked, answered or sent again before the mail left')
}

export interface Suppression {
  cause: 'bounced' | 'opted-out'
  serverReply: string | null
  createdAt: Date
}

/** Why an address gets no mail, or undefined when it does. */
export async function findSuppression(db: Db, addressKey: string): Promise<Suppression | undefined> {
  const { cause, serverReply, createdAt } = suppressions
  const [row] = await db
    .select({ cause, serverReply, createdAt })
    .from(suppressions)
    .where(eq(suppressions.addressKey, addressKey))
  return row
}

/** No more mail to this address because its owner says so. */
export async function optOut(tx: Db, addressKey: string): Promise<void> {
  await tx.insert(suppressions).values({ addressKey, cause: 'opted-out' }).onConflictDoNothing()
}

/** Lets mail through to an address again; false when nothing held it. */
export async function liftSuppression(tx: Db, addressKey: string): Promise<boolean> {
  const rows = await tx
    .delete(suppressions)
    .where(eq(suppressions.addressKey, addressKey))
    .returning({ key: suppressions.addressKey })
  return rows.length > 0
}

/** Tries every failed and unknown mail of a batch again, from the start of the schedule. Returns how many. */
export async function retryFailed(tx: Db, batchId: number): Promise<number> {
  const rows = await tx.execute(sql`
    with failed as (
      select id, state as was from deliveries where batch_id = ${batchId} and state in ('failed', 'unknown') order by id for update
    ), changed as (
      update deliveries d set state = 'queued', attempts = 0, queued_at = now(), next_attempt_at = now(), settled_at = null
      from failed where d.id = failed.id returning d.id, d.person_id, d.batch_id, d.state, failed.was
    ), ${moveAlong(fromBefore)}
    select id from changed`)
  if (rows.length > 0)
    await tx.execute(
      sql`update batches set state = 'sending', finished_at = null where id = ${batchId} and state = 'done'`
    )
  return rows.length
}

/** Holds a batch: the server refuses its mails one like the other. */
export async function stopBatch(tx: Db, batchId: number, reason: string): Promise<void> {
  await tx.execute(
    sql`update batches set state = 'stopped', stop_reason = ${reason} where id = ${batchId} and state in ('checking', 'sending')`
  )
}

export type Gate = 'open' | 'probe' | 'shut'

/** May we send? While the transport is paused one worker may try one mail every 30 seconds; asking takes that turn. */
export async function passGate(tx: Db): Promise<Gate> {
  const [row] = await tx.execute<{ paused: boolean }>(
    sql`select paused_since is not null as paused from mail_transport where id = 1`
  )
  if (!row?.paused) return 'open'
  const turn = await tx.execute(sql`
    update mail_transport set next_probe_at = now() + interval '30 seconds'
    where id = 1 and paused_since is not null and coalesce(next_probe_at, now()) <= now() returning id`)
  return turn.length > 0 ? 'probe' : 'shut'
}

export async function pauseTransport(tx: Db, reason: string): Promise<void> {
  await tx.execute(sql`
    insert into mail_transport (id, paused_since, next_probe_at, reason) values (1, now(), now() + interval '30 seconds', ${reason})
    on conflict (id) do update set paused_since = coalesce(mail_transport.paused_since, now()),
      next_probe_at = excluded.next_probe_at, reason = excluded.reason`)
}

export async function resumeTransport(tx: Db): Promise<void> {
  await tx.execute(sql`update mail_transport set paused_since = null, next_probe_at = null, reason = null where id = 1`)
}

/** Since when and why nothing is sent, or undefined while the way is open. */
export async function readPause(db: Db): Promise<{ since: Date; reason: string } | undefined> {
  const [row] = await db.execute<{ paused_since: string; reason: string | null }>(
    sql`select paused_since, reason from mail_transport where id = 1 and paused_since is not null`
  )
  return row && { since: new Date(row.paused_since), reason: row.reason ?? '' }
}

/** How many deliveries are in each state: for the metrics. */
export async function countDeliveries(db: Db): Promise<Map<string, number>> {
  const rows = await db.execute<{ state: string; n: string }>(
    sql`select state, count(*) as n from deliveries group by state`
  )
  return new Map(deliveryStates.map(state => [state, Number(rows.find(row => row.state === state)?.n ?? 0)]))
}

/** What the mail of an invitation is made of. */
export interface InvitationLetter {
  invitationId: number
  nonce: Buffer | null
  email: string
  name: string | null
  organization: string
  timeZone: string
  inviterName: string | null
  inviterEmail: string | null
  /** ISO time. */
  expiresAt: string
  isSignedUp: boolean
  /** Accepted, revoked or superseded. */
  isClosed: boolean
  isExpired: boolean
  isSuppressed: boolean
}

/** Reads and locks what is to be mailed; leaves out what somebody else is changing at this moment. */
export async function readInvitationLetters(tx: Db, invitationIds: number[]): Promise<Map<number, InvitationLetter>> {
  if (invitationIds.length === 0) return new Map()
  const rows = await tx.execute<Omit<InvitationLetter, 'invitationId'> & { invitationId: string }>(sql`
    select i.id as "invitationId", i.nonce, p.email, p.name, s.organization, s.time_zone as "timeZone",
      coalesce(v.name, v.email) as "inviterName", v.email as "inviterEmail",
      to_char(i.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "expiresAt",
      p.signed_up_at is not null as "isSignedUp",
      num_nonnulls(i.accepted_at, i.revoked_at, i.superseded_at) > 0 as "isClosed",
      i.expires_at <= now() as "isExpired", x.address_key is not null as "isSuppressed"
    from invitations i
    join people p on p.id = i.person_id
    join settings s on true
    left join people v on v.id = i.invited_by
    left join suppressions x on x.address_key = p.address_key
    where i.id = any(${sql.param(invitationIds)}::bigint[])
    for no key update of i skip locked`)
  return new Map(rows.map(row => [Number(row.invitationId), { ...row, invitationId: Number(row.invitationId) }]))
}

/** Writes minted links, in the transaction that leases their mails. */
export async function keepLinks(
  tx: Db,
  links: { invitationId: number; nonce: Buffer; tokenHash: Buffer }[]
): Promise<void> {
  const ids = links.map(link => link.invitationId)
  const hex = (column: 'nonce' | 'tokenHash') => sql.param(links.map(link => link[column].toString('hex')))
  await tx.execute(sql`
    update invitations i set nonce = decode(l.nonce, 'hex'), token_hash = decode(l.token_hash, 'hex')
    from unnest(${sql.param(ids)}::bigint[], ${hex('nonce')}::text[], ${hex('tokenHash')}::text[]) as l(id, nonce, token_hash)
    where i.id = l.id and i.nonce is null`)
}
