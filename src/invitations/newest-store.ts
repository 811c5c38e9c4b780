import type { Db } from '../db/client.ts'
import { bool, int, orNull, rowsOf, text } from '../db/rows.ts'
import type { InvitationTimes } from './invitation.ts'

export interface Newest extends InvitationTimes {
  id: number
  requestedAt: Date | null
  inviterName: string | null
  /** When the newest email was handed to a mail server; null: not yet. */
  sentAt: Date | null
  isOnItsWay: boolean
}

const newestColumns = {
  id: int,
  acceptedAt: orNull(text),
  revokedAt: orNull(text),
  supersededAt: orNull(text),
  isExpired: bool,
  requestedAt: orNull(text),
  inviterName: orNull(text),
  sentAt: orNull(text),
  isOnItsWay: orNull(bool)
}

export async function findNewest(db: Db, personId: number): Promise<Newest | undefined> {
  const [row] = await rowsOf(db, newestColumns)`
    select i.id, i.accepted_at as "acceptedAt", i.revoked_at as "revokedAt", i.superseded_at as "supersededAt",
      i.expires_at <= now() as "isExpired", i.requested_at as "requestedAt", coalesce(v.name, v.email) as "inviterName",
      case when d.state = 'sent' and not d.is_kept then d.settled_at end as "sentAt",
      d.state in ('queued', 'sending', 'deferred', 'held') as "isOnItsWay"
    from people p join invitations i on i.id = p.invitation_id
    left join deliveries d on d.id = p.delivery_id
    left join people v on v.id = i.invited_by
    where p.id = ${personId}`
  if (!row) return undefined
  const time = (at: string | null) => (at === null ? null : new Date(at))
  return {
    ...row,
    acceptedAt: time(row.acceptedAt),
    revokedAt: time(row.revokedAt),
    supersededAt: time(row.supersededAt),
    requestedAt: time(row.requestedAt),
    sentAt: time(row.sentAt),
    isOnItsWay: row.isOnItsWay ?? false
  }
}
