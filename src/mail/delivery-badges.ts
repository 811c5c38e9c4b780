import type { deliveryStates } from '../db/schema.ts'

type DeliveryState = (typeof deliveryStates)[number]

/** How each delivery state looks and reads. */
export const deliveryBadges: Record<DeliveryState, { tone: string; icon: string; text: string }> = {
  queued: { tone: 'mute', icon: 'clock', text: 'Queued' },
  sending: { tone: 'info', icon: 'send', text: 'Sending' },
  sent: { tone: 'good', icon: 'check', text: 'Sent' },
  deferred: { tone: 'warn', icon: 'clock', text: 'Deferred' },
  failed: { tone: 'bad', icon: 'alert', text: 'Failed' },
  unknown: { tone: 'warn', icon: 'alert', text: 'Unknown' },
  bounced: { tone: 'bad', icon: 'alert', text: 'Bounced' },
  suppressed: { tone: 'mute', icon: 'minus', text: 'Suppressed' },
  cancelled: { tone: 'mute', icon: 'x', text: 'Cancelled' }
}
