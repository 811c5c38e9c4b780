/** Whether this database is a copy of another one: a restored backup must not repeat what the original sends. */
import { sql } from 'drizzle-orm'
import { attempt, type Db } from '../../db/client.ts'
import { bool, int, oneOf, orNull, rowsOf, text } from '../../db/rows.ts'
import { first } from '../../lib/ends.ts'
import { propagateStates } from '../copies-store.ts'

export type Decision = 'send' | 'discard'
const decision = oneOf(['send', 'discard'])

export interface Origin {
  cluster: string | null
  databaseOid: string
  keyPrint: string
}

/** The same after a failover: a standby shares the identifier (pg_control_system). */
export async function readIdentity(tx: Db): Promise<Omit<Origin, 'keyPrint'>> {
  const cluster = await attempt(tx, async inner => {
    const [row] = await rowsOf(inner, { id: text })`select system_identifier::text as id from pg_control_system()`
    return row?.id ?? null
  }).catch(() => null)
  const rows = await rowsOf(tx, { oid: text })`
    select oid::text as oid from pg_database where datname = current_database()`
  return { cluster, databaseOid: first(rows).oid }
}

const originColumns = {
  cluster: orNull(text),
  databaseOid: text,
  keyPrint: text,
  isHeld: bool,
  decision: orNull(decision)
}

export async function readOrigin(
  tx: Db
): Promise<(Origin & { isHeld: boolean; decision: Decision | null }) | undefined> {
  const [row] = await rowsOf(tx, originColumns)`
    select cluster, database_oid, key_print, held_since is not null as is_held, decision from mail_origin where id = 1 for update`
  return row
}

export async function saveOrigin(tx: Db, { cluster, databaseOid, keyPrint }: Origin): Promise<void> {
  await tx.execute(sql`
    insert into mail_origin (id, cluster, database_oid, key_print) values (1, ${cluster}, ${databaseOid}, ${keyPrint})
    on conflict (id) do update set cluster = excluded.cluster, database_oid = excluded.database_oid, key_print = excluded.key_print`)
}

/** Sends nothing until an owner decides in this database. False when it was on hold already. */
export async function holdCopy(tx: Db): Promise<boolean> {
  const rows = await tx.execute(sql`
    update mail_origin set held_since = coalesce(held_since, now()), decision = null
    where id = 1 and (held_since is null or decision is not null) returning id`)
  return rows.length > 0
}

export async function saveDecision(tx: Db, decision: Decision): Promise<void> {
  await tx.execute(sql`update mail_origin set decision = ${decision} where id = 1 and held_since is not null`)
}

export async function openGate(tx: Db): Promise<void> {
  await tx.execute(sql`update mail_origin set held_since = null, decision = null where id = 1`)
}

/** The hold, unless there is none or another worker has it. */
export async function lockHold(tx: Db): Promise<{ decision: Decision | null } | undefined> {
  const [row] = await rowsOf(tx, { decision: orNull(decision) })`
    select decision from mail_origin where id = 1 and held_since is not null for update skip locked`
  return row
}

export interface Hold {
  since: Date
  mails: number
  decision: Decision | null
}

export async function readHold(db: Db): Promise<Hold | undefined> {
  const [row] = await rowsOf(db, { since: text, mails: int, decision: orNull(decision) })`
    select held_since as since, decision,
      (select coalesce(sum(mails_queued + mails_sending + mails_held + mails_deferred), 0) from batches)
      + (select count(*) from deliveries where batch_id is null and state in ('queued', 'sending', 'held', 'deferred')) as mails
    from mail_origin where id = 1 and held_since is not null`
  return row && { ...row, since: new Date(row.since) }
}

export async function expireLeases(tx: Db): Promise<void> {
  await tx.execute(sql`update deliveries set lease_until = now() - interval '1 second' where state = 'sending'`)
}

const columns = sql`d.id, d.person_id, d.batch_id, d.state, d.is_kept`

/** Holds waiting emails and those with an expired lease: at most `max` of each. Returns how many. */
export async function holdWaiting(tx: Db, max: number): Promise<number> {
  const rows = await tx.execute(sql`
    with waiting as (
      select id, state as was from deliveries where state in ('queued', 'deferred') limit ${max} for update skip locked
    ), lost as (
      select id, state as was from deliveries where state = 'sending' and lease_until < now() limit ${max} for update skip locked
    ), changed as (
      update deliveries d set state = 'held', lease_until = null, may_have_arrived = d.may_have_arrived or o.was = 'sending'
      from (select * from waiting union all select * from lost) o where d.id = o.id
      returning ${columns}, o.was
    ), ${propagateStates(sql`was`)}
    select id from changed`)
  return rows.length
}

export async function endHold(tx: Db, decision: Decision, max: number): Promise<number> {
  const change =
    decision === 'send'
      ? sql`state = 'queued', queued_at = now()`
      : sql`state = 'cancelled', settled_at = now(), server_reply = coalesce(server_reply, ${discarded})`
  const rows = await tx.execute(sql`
    with held as (
      select id from deliveries where state = 'held' order by id limit ${max} for update
    ), changed as (
      update deliveries d set ${change} from held where d.id = held.id returning ${columns}
    ), ${propagateStates(sql`'held'`)}
    select id from changed`)
  return rows.length
}

const discarded = 'Discarded: this database is a copy, and the original sends this email'
