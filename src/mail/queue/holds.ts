import type { Claimed } from '../delivery.ts'
import type { Ready } from './claims.ts'

const checkEveryMs = 500
const maxEqualRefusals = 10

export class Holds {
  readonly stops = new Map<number, string>()
  private held = new Set<number>()
  private checkedAt = Date.now()
  private readonly refusals = new Map<number, { gist: string; times: number }>()

  get isEmpty(): boolean {
    return this.stops.size + this.held.size === 0
  }

  covers({ batchId }: Claimed): boolean {
    return batchId !== null && (this.stops.has(batchId) || this.held.has(batchId))
  }

  /** The batches of these emails, when it is time to check whether an admin has paused or canceled one. */
  batchesToCheck(ready: Ready[]): number[] {
    if (ready.length === 0 || Date.now() - this.checkedAt < checkEveryMs) return []
    this.checkedAt = Date.now()
    return [...new Set(ready.flatMap(({ delivery }) => delivery.batchId ?? []))]
  }

  setHeld(batchIds: number[]): void {
    this.held = new Set(batchIds)
  }

  /** Counts refusals with the same gist in a row. True when the batch is to stop. */
  noteRefusal(batchId: number, gist: string, reply: string): boolean {
    const before = this.refusals.get(batchId)
    const times = before?.gist === gist ? before.times + 1 : 1
    this.refusals.set(batchId, { gist, times })
    if (times !== maxEqualRefusals) return false
    this.stops.set(batchId, `The mail server refused ${maxEqualRefusals} emails in a row: ${reply}`)
    return true
  }

  noteSent(batchId: number): void {
    this.refusals.delete(batchId)
  }
}
