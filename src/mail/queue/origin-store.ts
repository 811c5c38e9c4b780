/** Whether this database is a copy of another one: a restored backup must not send again what the original sends. */
import { sql } from 'drizzle-orm'
import { attempt, type Db } from '../../db/client.ts'
import { moveAlong, releaseExpired } from './store.ts'

export interface Origin {
  cluster: string | null
  databaseOid: string
  keyPrint: string
}

/** Which database this is. A failover leads to the same one: a standby shares the identifier (pg_control_system). */
export async function readIdentity(tx: Db): Promise<Omit<Origin, 'keyPrint'>> {
  const cluster = await attempt(tx, async inner => {
    const [row] = await inner.execute<{ id: string }>(
      sql`select system_identifier::text as id from pg_control_system()`
    )
    return row?.id ?? null
  }).catch(() => null)
  const [row] = await tx.execute<{ oid: string }>(
    sql`select oid::text as oid from pg_database where datname = current_database()`
  )
  return { cluster, databaseOid: row!.oid }
}

/** What was kept; locked until the transaction ends. */
export async function readOrigin(tx: Db): Promise<(Origin & { isHeld: boolean }) | undefined> {
  const [row] = await tx.execute<{ cluster: string | null; database_oid: string; key_print: string; is_held: boolean }>(
    sql`select cluster, database_oid, key_print, held_since is not null as is_held from mail_origin where id = 1 for update`
  )
  return row && { cluster: row.cluster, databaseOid: row.database_oid, keyPrint: row.key_print, isHeld: row.is_held }
}

/** From now on this database is the one that sends. */
export async function keepOrigin(tx: Db, { cluster, databaseOid, keyPrint }: Origin): Promise<void> {
  await tx.execute(sql`
    insert into mail_origin (id, cluster, database_oid, key_print) values (1, ${cluster}, ${databaseOid}, ${keyPrint})
    on conflict (id) do update set cluster = excluded.cluster, database_oid = excluded.database_oid,
      key_print = excluded.key_print, held_since = null`)
}

export async function holdCopy(tx: Db): Promise<void> {
  await tx.execute(sql`update mail_origin set held_since = now() where id = 1 and held_since is null`)
}

/** Since when mail is held because this database is a copy, and how many mails wait; undefined: it is not held. */
export async function readHold(db: Db): Promise<{ since: Date; mails: number } | undefined> {
  const [row] = await db.execute<{ since: string; mails: string }>(sql`
    select held_since as since, (select coalesce(sum(mails_queued + mails_sending + mails_deferred), 0) from batches)
      + (select count(*) from deliveries where batch_id is null and state in ('queued', 'sending', 'deferred')) as mails
    from mail_origin where id = 1 and held_since is not null`)
  return row && { since: new Date(row.since), mails: Number(row.mails) }
}

/** Calls off every mail that waits. Returns how many. */
export async function discardWaiting(tx: Db): Promise<number> {
  // nothing of a copy is on its way: what its original had in hand is not ours
  await tx.execute(sql`update deliveries set lease_until = now() - interval '1 second' where state = 'sending'`)
  while ((await releaseExpired(tx)) > 0);
  const rows = await tx.execute(sql`
    with open as (
      select id, state as was from deliveries where state in ('queued', 'deferred') order by id for update
    ), changed as (
      update deliveries d set state = 'cancelled', settled_at = now(), server_reply = coalesce(server_reply, ${discarded})
      from open where d.id = open.id returning d.id, d.person_id, d.batch_id, d.state, d.is_kept, open.was
    ), ${moveAlong(sql`was`)}
    select id from changed`)
  return rows.length
}

const discarded = 'Discarded: this database is a copy, and the original sends this mail'
