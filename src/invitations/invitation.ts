/** Only the database's clock decides on expiry, so `isExpired` comes from there. */

export type InvitationState = 'open' | 'expired' | 'accepted' | 'revoked' | 'superseded'

export interface InvitationTimes {
  acceptedAt: Date | null
  revokedAt: Date | null
  supersededAt: Date | null
  isExpired: boolean
}

export function stateOf({ acceptedAt, revokedAt, supersededAt, isExpired }: InvitationTimes): InvitationState {
  if (acceptedAt) return 'accepted'
  if (supersededAt) return 'superseded'
  if (revokedAt) return 'revoked'
  return isExpired ? 'expired' : 'open'
}

/** An open newer invitation comes first; otherwise the state of the newest one. */
export function closedStateOf(
  own: Exclude<InvitationState, 'open'>,
  newest: InvitationTimes | undefined
): Exclude<InvitationState, 'open'> {
  if (own === 'accepted' || !newest) return own
  const state = stateOf(newest)
  return state === 'open' ? 'superseded' : state
}

export const invitationBadges: Record<InvitationState, { tone: string; icon: string; text: string }> = {
  open: { tone: 'info', icon: 'mail', text: 'Open' },
  expired: { tone: 'warn', icon: 'clock', text: 'Expired' },
  accepted: { tone: 'good', icon: 'check', text: 'Accepted' },
  revoked: { tone: 'warn', icon: 'x', text: 'Revoked' },
  superseded: { tone: 'mute', icon: 'minus', text: 'Replaced by a newer one' }
}
