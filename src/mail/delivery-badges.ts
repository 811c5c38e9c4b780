import type { deliveryStates } from '../db/schema.ts'

type DeliveryState = (typeof deliveryStates)[number]

export interface DeliveryBadge {
  tone: string
  icon: string
  text: string
}

export const deliveryBadges: Record<DeliveryState, DeliveryBadge> = {
  queued: { tone: 'mute', icon: 'clock', text: 'Queued' },
  sending: { tone: 'info', icon: 'send', text: 'Sending' },
  held: { tone: 'warn', icon: 'pause', text: 'Held' },
  sent: { tone: 'good', icon: 'check', text: 'Sent' },
  deferred: { tone: 'warn', icon: 'clock', text: 'Deferred' },
  failed: { tone: 'bad', icon: 'alert', text: 'Failed' },
  unknown: { tone: 'warn', icon: 'alert', text: 'Unknown' },
  bounced: { tone: 'bad', icon: 'alert', text: 'Bounced' },
  suppressed: { tone: 'mute', icon: 'minus', text: 'Suppressed' },
  cancelled: { tone: 'mute', icon: 'x', text: 'Not sent' }
}

const kept: DeliveryBadge = { tone: 'warn', icon: 'mail', text: 'Kept in the outbox' }

export interface Deciding {
  delivery: DeliveryState | null
  isKept: boolean
  suppression?: 'bounced' | 'opted-out' | null
}

export function deliveryBadge({ delivery, ...more }: Deciding): DeliveryBadge | null {
  return delivery === null ? null : badgeOf(delivery, more)
}

export function badgeOf(
  delivery: DeliveryState,
  { isKept, suppression = null }: Omit<Deciding, 'delivery'>
): DeliveryBadge {
  if (delivery === 'sent' && isKept) return kept
  if (delivery === 'suppressed' && suppression === 'opted-out')
    return { ...deliveryBadges.suppressed, text: 'Opted out' }
  return deliveryBadges[delivery]
}

export const noMailWords = (suppression: Deciding['suppression']): string | null =>
  suppression === 'opted-out' ? 'Gets no email' : suppression === 'bounced' ? 'Gets no email: address bounced' : null

/** What `sent` means for a list in which some emails were sent, some are in the outbox, or both. */
export function sentBadge({ hasLeft, hasKept }: { hasLeft: boolean; hasKept: boolean }): DeliveryBadge {
  if (!hasKept) return deliveryBadges.sent
  return hasLeft ? { ...kept, text: 'Sent or kept in the outbox' } : kept
}

export const deliveryChoices = (chosen: string | undefined, seen: { hasLeft: boolean; hasKept: boolean }) =>
  Object.entries({ ...deliveryBadges, sent: sentBadge(seen) }).map(([value, { text }]) => ({
    value,
    text,
    isChosen: value === chosen
  }))
