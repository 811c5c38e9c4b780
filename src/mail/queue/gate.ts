import type { DeliverDeps } from './deps.ts'
import { DomainPace } from './domain-pace.ts'

export class Gate {
  /** Why the mail server cannot be used. Ends the run. */
  fault: string | undefined
  isProbe = false
  isRecovered = false
  /** An email met a limit: release what is ready, and claim nothing until the limit is written. */
  isThrottled = false
  /** Why no connection could be opened, until we know whether other workers have some. */
  crowdedReply: string | undefined
  isPaced = false
  hasServerPace = false
  limitsReadAt = 0
  announcedAt = 0
  readonly domainPace = new DomainPace()
  private readonly deps: Pick<DeliverDeps, 'transport' | 'log' | 'signal'>

  constructor(deps: Pick<DeliverDeps, 'transport' | 'log' | 'signal'>) {
    this.deps = deps
  }

  get isStopping(): boolean {
    return this.fault !== undefined || this.isProbe || this.deps.signal?.aborted === true
  }

  get isAwaitingLimits(): boolean {
    return this.isThrottled || this.crowdedReply !== undefined || (this.deps.transport.peer?.learned.length ?? 0) > 0
  }

  get maySend(): boolean {
    return this.fault === undefined && this.crowdedReply === undefined
  }

  get releasesAll(): boolean {
    return this.isThrottled || this.crowdedReply !== undefined || (this.isStopping && !this.isProbe)
  }

  noteFault(reason: string): void {
    if (this.fault === undefined) this.deps.log.error({ reason }, 'Mail server unusable, emails are on hold')
    this.fault ??= reason
  }

  noteRecovery(): void {
    this.isRecovered = true
    this.isProbe = false
    this.deps.log.info({}, 'The mail server works again')
  }
}
