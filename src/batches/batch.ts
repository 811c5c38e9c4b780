import { isKeyOf, isOneOf } from '../lib/known.ts'

export type BatchState =
  | 'receiving'
  | 'incomplete'
  | 'checking'
  | 'checked'
  | 'sending'
  | 'paused'
  | 'stopped'
  | 'cancelled'
  | 'done'

export const batchBadges: Record<BatchState, { tone: string; icon: string; text: string }> = {
  receiving: { tone: 'info', icon: 'upload', text: 'Receiving' },
  incomplete: { tone: 'bad', icon: 'alert', text: 'Incomplete' },
  checking: { tone: 'info', icon: 'refresh', text: 'Checking' },
  checked: { tone: 'info', icon: 'check', text: 'Checked' },
  sending: { tone: 'info', icon: 'send', text: 'Sending' },
  paused: { tone: 'warn', icon: 'pause', text: 'Paused' },
  stopped: { tone: 'bad', icon: 'alert', text: 'Stopped' },
  cancelled: { tone: 'mute', icon: 'x', text: 'Canceled' },
  done: { tone: 'good', icon: 'check', text: 'Done' }
}

export const isRunning = (state: BatchState) => state === 'receiving' || state === 'checking' || state === 'sending'

export const isBatchState = (text: string | undefined): text is BatchState =>
  text !== undefined && isKeyOf(batchBadges, text)

/** Until an admin sends the batch, corrected lines join it; later ones get a new batch. */
export function takesCorrections({ action, state }: { action: 'send' | 'check'; state: BatchState }): boolean {
  return action === 'check' && canBe('cancelled', state)
}

const acts = {
  sent: ['checked'],
  paused: ['checking', 'sending'],
  resumed: ['paused', 'stopped'],
  cancelled: ['checking', 'checked', 'sending', 'paused', 'stopped'],
  retried: ['sending', 'done']
} satisfies Record<string, BatchState[]>

export function canBe(act: keyof typeof acts, state: BatchState): boolean {
  return isOneOf(acts[act], state)
}
