/** A database with queued emails, and what a worker needs to deliver them. */
import { randomBytes } from 'node:crypto'
import type { Database } from '../../src/db/client.ts'
import { invitationComposer } from '../../src/invitations/email.ts'
import type { DeliverDeps } from '../../src/mail/deliver-due.ts'
import type { Log, MailTransport } from '../../src/mail/delivery.ts'
import { mailsIn } from '../support/batches.ts'
import { cloneDatabase } from '../support/database.ts'

const noisy = (details: object, message: string) => process.env.MAIL_LOG && console.error(message, details)
export const silent: Log = { info: noisy, warn: noisy, error: noisy }
export const secretKey = randomBytes(32)
export const mailFrom = { name: 'Larkfield', address: 'rollcall@larkfield.example' }

/** An organization with Ada, its owner. */
export async function organization() {
  const { db, drop } = await cloneDatabase()
  await introduce(db)
  return { db, query: db.$client, drop }
}

/** Larkfield, its domain and Ada, on a database that has only its tables. */
export async function introduce({ $client: query }: Database): Promise<void> {
  await query`insert into settings (organization) values ('Larkfield & Söhne')`
  await query`insert into domains values ('larkfield.example')`
  await query`insert into people (email, address_key, name, role, signed_up_at)
    values ('ada@larkfield.example', 'ada@larkfield.example', 'Ada', 'owner', now())`
}

/** Invites addresses in a batch that is sending; typed ones when `priority` is 0. Returns the batch's id. */
export async function order(db: Database, locals: string[], priority = 1, state = 'sending'): Promise<number> {
  const [row] = await db.$client`
    with batch as (
      insert into batches (source, state, action, created_by, mails_queued)
      select ${priority ? 'file' : 'typed'}, ${state}, 'send', min(id), ${locals.length} from people returning id
    ), person as (
      insert into people (email, address_key, invited_at, delivery_state)
      select l || '@larkfield.example', l || '@larkfield.example', now(), 'queued' from unnest(${locals}::text[]) l returning id, email
    ), invitation as (
      insert into invitations (person_id, batch_id, invited_by, expires_at)
      select person.id, batch.id, (select min(id) from people), now() + interval '14 days' from person, batch returning id, person_id
    ), delivery as (
      insert into deliveries (person_id, invitation_id, batch_id, address, priority)
      select p.id, i.id, batch.id, p.email, ${priority} from batch, invitation i join person p on p.id = i.person_id
    ) select id from batch`
  await db.$client`update people p set invitation_id = d.invitation_id, delivery_id = d.id, invitation_expires_at = i.expires_at
    from deliveries d join invitations i on i.id = d.invitation_id where d.person_id = p.id and d.batch_id = ${row!.id}`
  return row!.id
}

export function means(db: Database, transport: MailTransport, more: Partial<DeliverDeps> = {}): DeliverDeps {
  const invitation = invitationComposer({ baseUrl: 'https://console.larkfield.example', secretKey, mailFrom })
  return { db, log: silent, transport, composers: { invitation }, mailHost: 'larkfield.example', ...more }
}

const counters = [
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

/** A batch's counts that are not zero; throws when they differ from its deliveries or its people. */
export async function countsOf(db: Database, batchId: number): Promise<Record<string, number>> {
  const [batch] = await db.$client`select * from batches where id = ${batchId}`
  const rows = await db.$client`select state, count(*) as n from deliveries where batch_id = ${batchId} group by state`
  const kept = Object.fromEntries(counters.map(name => [name, batch![mailsIn(name)]]).filter(([, n]) => n))
  const real = Object.fromEntries(rows.map(row => [row.state, row.n]))
  const stray =
    await db.$client`select p.id from people p join deliveries d on d.id = p.delivery_id where p.delivery_state <> d.state`
  for (const name of counters)
    if ((kept[name] ?? 0) !== (real[name] ?? 0)) throw new Error(`${JSON.stringify(kept)} but ${JSON.stringify(real)}`)
  if (stray.length > 0) throw new Error(`${stray.length} people show another delivery state`)
  return kept
}

export const numbered = (count: number, prefix = 'p') => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** Makes everything that waits due now. */
export async function passTime(db: Database): Promise<void> {
  await db.$client`update deliveries set next_attempt_at = now() where state in ('queued', 'deferred')`
  await db.$client`update mail_transport set next_probe_at = now()`
  await db.$client`update mail_servers set rest_until = null, refilled_at = now()`
}
