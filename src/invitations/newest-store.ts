import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import type { InvitationTimes } from './invitation.ts'

export interface Newest extends InvitationTimes {
  id: number
  requestedAt: Date | null
  inviterName: string | null
  /** When the newest email was handed to a mail server; null: not yet. */
  sentAt: Date | null
  isOnItsWay: boolean
}

export async function findNewest(db: Db, personId: number): Promise<Newest | undefined> {
  const [row] = await db.execute<
    Record<string, string | null> & { isExpired: boolean; isOnItsWay: boolean | null }
  >(sql`
    select i.id, i.accepted_at as "acceptedAt", i.revoked_at as "revokedAt", i.superseded_at as "supersededAt",
      i.expires_at <= now() as "isExpired", i.requested_at as "requestedAt", coalesce(v.name, v.email) as "inviterName",
      case when d.state = 'sent' and not d.is_kept then d.settled_at end as "sentAt",
      d.state in ('queued', 'sending', 'deferred', 'held') as "isOnItsWay"
    from people p join invitations i on i.id = p.invitation_id
    left join deliveries d on d.id = p.delivery_id
    left join people v on v.id = i.invited_by
    where p.id = ${personId}`)
  if (!row) return undefined
  const time = (name: string) => (row[name] ? new Date(row[name]) : null)
  return {
    id: Number(row.id),
    isExpired: row.isExpired,
    inviterName: row.inviterName ?? null,
    acceptedAt: time('acceptedAt'),
    revokedAt: time('revokedAt'),
    supersededAt: time('supersededAt'),
    requestedAt: time('requestedAt'),
    sentAt: time('sentAt'),
    isOnItsWay: row.isOnItsWay ?? false
  }
}
