/** Whether this worker may send, and how fast, by the mail server's replies and the settings. */
import type { DeliverDeps } from './deps.ts'
import { DomainPace } from './domain-pace.ts'

export class Gate {
  /** Why the mail server cannot be used. Ends the run. */
  fault: string | undefined
  /** The transport is paused, and this run tries one mail. */
  isProbe = false
  /** The mail server answered that mail: the pause can end. */
  isRecovered = false
  /** A mail met a limit: release what is ready, and claim nothing until the limit is written. */
  isThrottled = false
  /** Why no connection could be opened, until we know whether other workers have some. */
  crowdedReply: string | undefined
  /** More may be due than the pacing lets us claim now. */
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

  /** It is not known yet what the server allows from now on. */
  get isAwaitingLimits(): boolean {
    return this.isThrottled || this.crowdedReply !== undefined || (this.deps.transport.peer?.learned.length ?? 0) > 0
  }

  get maySend(): boolean {
    return this.fault === undefined && this.crowdedReply === undefined
  }

  /** Nothing that is ready can be sent by this run. */
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
