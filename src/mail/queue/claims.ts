import type { Claimed, Mail } from '../delivery.ts'
import type { DomainPace } from './domain-pace.ts'

export interface Ready {
  delivery: Claimed
  mail: Mail
  until: string | null
  leasedAt: number
  startedAt?: number
  isShown?: boolean
}

const maxClaimSize = 500
const showAfterMs = 1_000

export class Claims {
  ready: Ready[] = []
  readonly inFlight = new Set<Ready>()
  readonly leaseSeconds: number
  /** About half a second of work. */
  claimSize: number
  isClaiming = false
  /** The last claim failed, perhaps because one email cannot be composed: find that email. */
  claimsSingly = false
  notBefore = 0
  sweptAt = 0
  private claimedAt = 0
  private renewedAt = 0

  constructor(claimSize: number, leaseSeconds = 60) {
    this.claimSize = claimSize
    this.leaseSeconds = leaseSeconds
  }

  get hasRoom(): boolean {
    return !this.isClaiming && this.ready.length < this.claimSize && Date.now() >= this.notBefore
  }

  get isIdle(): boolean {
    return !this.isClaiming && this.inFlight.size + this.ready.length === 0
  }

  /** Typed addresses go first. A claim that was used up quickly makes the next one larger. */
  add(ready: Ready[], minClaimSize: number): void {
    this.ready.unshift(...ready.filter(({ delivery }) => delivery.priority === 0))
    this.ready.push(...ready.filter(({ delivery }) => delivery.priority !== 0))
    const lastedMs = Date.now() - this.claimedAt
    this.claimedAt = Date.now()
    const factor = lastedMs < 250 ? 2 : lastedMs > 1_000 ? 0.5 : 1
    this.claimSize = Math.max(minClaimSize, Math.min(maxClaimSize, Math.ceil(this.claimSize * factor)))
  }

  /** The next email whose lease is fresh and whose domain may get one. */
  next(pace: DomainPace): Ready | undefined {
    const index = this.ready.findIndex(each => !this.isStale(each) && pace.takeTurn(each.mail.to))
    return index < 0 ? undefined : this.ready.splice(index, 1)[0]
  }

  /** Half of the lease is over: released, so that another worker or a more urgent mail can go first. */
  isStale({ leasedAt }: Ready): boolean {
    return leasedAt < Date.now() - this.leaseSeconds * 500
  }

  /** Looks at both ends only, since it is asked often; `next` skips those in between. */
  get hasStale(): boolean {
    return [this.ready[0], this.ready.at(-1)].some(each => each !== undefined && this.isStale(each))
  }

  remove(isRemoved: (ready: Ready) => boolean): Claimed[] {
    const removed = this.ready.filter(isRemoved)
    if (removed.length > 0) this.ready = this.ready.filter(each => !isRemoved(each))
    return removed.map(({ delivery }) => delivery)
  }

  leasesToRenew(): Ready[] {
    const leaseMs = this.leaseSeconds * 1000
    if (this.inFlight.size === 0 || Date.now() - this.renewedAt < leaseMs / 10) return []
    this.renewedAt = Date.now()
    return [...this.inFlight].filter(({ leasedAt }) => leasedAt < Date.now() - leaseMs / 3)
  }

  slow(): Ready[] {
    const since = Date.now() - showAfterMs
    return [...this.inFlight].filter(({ startedAt = since, isShown }) => startedAt < since && !isShown)
  }
}
