/** Whether the way to the mail server is open: one row that every worker and the console read. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'

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
