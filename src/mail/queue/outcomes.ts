import type { Settlement } from '../delivery.ts'

export const flushEveryMs = 50
const flushAt = 100
/** After a crash, what is not written is sent twice. */
const maxUnwritten = 500

export class Outcomes {
  readonly finished: Settlement[] = []
  writing = 0
  written = 0

  get isDue(): boolean {
    return this.finished.length >= flushAt
  }

  get isFull(): boolean {
    return this.finished.length + this.writing >= maxUnwritten
  }
}
