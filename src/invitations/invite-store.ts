/** Inviting in sets: a million lines and one typed address use the same statements. */
import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, rowsOf } from '../db/rows.ts'
import { newestIs } from '../mail/copies-store.ts'
import { isUnanswered } from './conditions.ts'

export interface InviteStep {
  batchId: number
  fromLine: number
  toLine: number
  invitedBy: number
  days: number
  /** 0 for typed addresses, 1 for lists and groups. */
  priority: 0 | 1
}

/** Invites lines with the verdict `invite`; returns how many, fewer if people signed up meanwhile. */
export async function inviteRecipients(tx: Db, step: InviteStep): Promise<number> {
  const expires = sql`now() + make_interval(days => ${step.days})`
  const [row] = await rowsOf(tx, { invited: int })`
    with chosen as materialized (
      select r.address, r.address_key, p.id as known_id, coalesce(p.id, nextval('people_id_seq')) as person_id,
        nextval('invitations_id_seq') as invitation_id, nextval('deliveries_id_seq') as delivery_id
      from recipients r left join people p on p.address_key = r.address_key
      where r.batch_id = ${step.batchId} and r.line between ${step.fromLine} and ${step.toLine} and r.verdict = 'invite'
    ), known as (
      update people p set invitation_id = c.invitation_id, invited_at = now(), invitation_expires_at = ${expires},
        invitation_revoked_at = null, ${newestIs(sql`c.delivery_id`)}
      from chosen c
      where p.id = c.known_id and p.signed_up_at is null
      returning p.id as person_id, c.invitation_id, c.delivery_id, p.email as address
    ), new as (
      insert into people (id, email, address_key, invitation_id, invited_at, invitation_expires_at, delivery_id, delivery_state)
      select person_id, address, address_key, invitation_id, now(), ${expires}, delivery_id, 'queued'
      from chosen where known_id is null
      on conflict (address_key) do nothing
      returning id as person_id, invitation_id, delivery_id, email as address
    ), invited as materialized (select * from known union all select * from new),
    offers as (
      insert into invitations (id, person_id, batch_id, invited_by, expires_at)
      select invitation_id, person_id, ${step.batchId}, ${step.invitedBy}, ${expires} from invited
    ), mails as (
      insert into deliveries (id, person_id, invitation_id, batch_id, address, priority)
      select delivery_id, person_id, invitation_id, ${step.batchId}, address, ${step.priority} from invited
    )
    select count(*) as invited from invited`
  return row?.invited ?? 0
}

/** A line may name the directory's address of a known person: it becomes theirs, so that no one is here twice. */
export async function takeNamedAddresses(
  tx: Db,
  step: Pick<InviteStep, 'batchId' | 'fromLine' | 'toLine'>
): Promise<void> {
  await tx.execute(sql`
    with named as materialized (
      select min(p.id) as id, r.address, r.address_key
      from recipients r join people p on p.directory_mail_key = r.address_key
      where r.batch_id = ${step.batchId} and r.line between ${step.fromLine} and ${step.toLine} and r.verdict = 'invite'
        and p.signed_up_at is null and not exists (select from people q where q.address_key = r.address_key)
      group by r.address, r.address_key having count(*) = 1
    )
    update people p set email = n.address, address_key = n.address_key, directory_mail = null, directory_mail_key = null
    from named n where p.id = n.id`)
}

export async function supersedeExpired(
  tx: Db,
  step: Pick<InviteStep, 'batchId' | 'fromLine' | 'toLine'>
): Promise<void> {
  await tx.execute(sql`
    update invitations i set superseded_at = now()
    from recipients r join people p on p.address_key = r.address_key
    where r.batch_id = ${step.batchId} and r.line between ${step.fromLine} and ${step.toLine} and r.verdict = 'invite'
      and i.person_id = p.id and ${isUnanswered(sql`i`)}`)
}
