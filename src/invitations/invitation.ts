/** An invitation's state from its timestamps. Expiry is a fact about the database's clock, so `isExpired` comes from there. */

export type InvitationState = 'open' | 'expired' | 'accepted' | 'revoked' | 'superseded'

export interface InvitationTimes {
  acceptedAt: Date | null
  revokedAt: Date | null
  supersededAt: Date | null
  isExpired: boolean
}

export function stateOf({ acceptedAt, revokedAt, supersededAt, isExpired }: InvitationTimes): InvitationState {
  if (acceptedAt) return 'accepted'
  if (revokedAt) return 'revoked'
  if (supersededAt) return 'superseded'
  return isExpired ? 'expired' : 'open'
}

export const invitationBadges: Record<InvitationState, { tone: string; icon: string; text: string }> = {
  open: { tone: 'info', icon: 'mail', text: 'Open' },
  expired: { tone: 'warn', icon: 'clock', text: 'Expired' },
  accepted: { tone: 'good', icon: 'check', text: 'Accepted' },
  revoked: { tone: 'warn', icon: 'x', text: 'Revoked' },
  superseded: { tone: 'mute', icon: 'minus', text: 'Replaced by a newer one' }
}
