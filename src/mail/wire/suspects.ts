/** Tells a server limit from one email's refusal in a limit's words: a limit hits other emails, too. */
import { last } from '../../lib/ends.ts'
import type { Mail } from '../delivery.ts'

export interface Verdict {
  is: 'limit' | 'alone' | 'own'
  wait: number
}

const provenBy = 3
/** Refused so often while others were sent, an email is at fault itself. Without others, this takes about a day. */
const maxRefusals = { others: 4, none: 50 }
const waitSeconds = [2, 5, 30, 60, 300, 1_800]
const maxKept = 1_000

export class Suspects {
  private sent = 0
  private readonly inRow = new Set<number>()
  private readonly refused = new Map<number, { times: number; sentBefore: number }>()
  /** Emails refused for the first time since the last limit, and how many had been sent by then. */
  private fresh = 0
  private sentBefore = 0

  noteSent({ deliveryId }: Mail): void {
    this.sent += 1
    this.inRow.clear()
    this.refused.delete(deliveryId)
  }

  /** For an email that was refused in the words of a limit, on a new connection too. */
  judge({ deliveryId }: Mail): Verdict {
    const before = this.refused.get(deliveryId) ?? { times: 0, sentBefore: this.sent }
    const times = before.times + 1
    this.keep(deliveryId, { ...before, times })
    const wait = waitSeconds[times - 1] ?? last(waitSeconds)
    if (times >= (this.sent > before.sentBefore ? maxRefusals.others : maxRefusals.none)) return { is: 'own', wait }
    if (times === 1) this.fresh += 1
    if (this.inRow.size < provenBy) this.inRow.add(deliveryId)
    if (this.inRow.size < provenBy && !this.areMany()) return { is: 'alone', wait }
    this.fresh = 0
    this.sentBefore = this.sent
    return { is: 'limit', wait }
  }

  /** A server that takes only some emails while it refuses others has a limit too. */
  private areMany(): boolean {
    return this.fresh > 3 + (this.sent - this.sentBefore) / 50
  }

  private keep(deliveryId: number, entry: { times: number; sentBefore: number }) {
    const [oldest] = this.refused.keys()
    if (oldest !== undefined && this.refused.size >= maxKept && !this.refused.has(deliveryId))
      this.refused.delete(oldest)
    this.refused.set(deliveryId, entry)
  }
}
