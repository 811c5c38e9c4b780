import type { Outcome } from '../delivery.ts'
import type { ServerLimits } from '../server-limits.ts'
import { type Attempt, Connection } from './connection.ts'
import type { Conversation } from './conversation.ts'
import { askOf } from './limits.ts'
import { type Reply, readable, readReply } from './reply.ts'
import { Suspects } from './suspects.ts'

/** Not an outcome yet: try again, or leave the email to the connections that work. */
export type Retry = 'again' | 'elsewhere'

type Limited = Outcome & { is: 'throttled' | 'transport-fault' }

/** After a limit, other emails go before the refused one; after a fault, another one probes. */
const waitSeconds = { limit: 5, probe: 35 }

export class Connections {
  private readonly limits: ServerLimits
  private readonly connect: (onClose: () => void) => Promise<Conversation>
  private readonly working = new Set<Conversation>()
  private readonly closing = new Set<Promise<void>>()
  private readonly idle: { connection: Connection; since: number }[] = []
  private readonly suspects = new Suspects()
  private opening = 0
  /** One more was refused while others were opening: the limit is known once these are open. */
  private refused: { reply: string; named: number | undefined } | undefined
  private refusedInRow = 0

  constructor(limits: ServerLimits, connect: (onClose: () => void) => Promise<Conversation>) {
    this.limits = limits
    this.connect = connect
  }

  get count(): number {
    return this.working.size
  }

  takeIdle(): Connection | undefined {
    for (let each = this.idle.pop(); each; each = this.idle.pop()) if (each.connection.isUsable) return each.connection
    return undefined
  }

  release(connection: Connection | undefined): void {
    if (!connection?.conversation.isOpen) return
    if (connection.isUsedUp && connection.isTrial) this.limits.learnMailsPerConnection(connection.mails, '')
    if (connection.isUsedUp || this.working.size > this.limits.connections) this.quit(connection)
    else this.idle.push({ connection, since: Date.now() })
  }

  private quit({ conversation }: Connection) {
    const closed = conversation.quit().finally(() => this.closing.delete(closed))
    this.closing.add(closed)
  }

  async open(): Promise<Connection | Outcome | Retry> {
    this.opening += 1
    try {
      // the server still counts those that are closing
      await Promise.all(this.closing)
      const conversation = await this.connect(() => this.working.delete(conversation))
      this.working.add(conversation)
      return new Connection(conversation, this.limits.quotaOfConnection())
    } catch (error) {
      return this.judgeFailure(error)
    } finally {
      this.opening -= 1
      if (this.opening === 0) this.onceConnected()
    }
  }

  private judgeFailure(error: unknown): Outcome | Retry {
    const words = error instanceof Error ? error.message : String(error)
    const text = readable(Buffer.from(words).toString('latin1'))
    const said = replyOf(error)
    const ask = said && askOf('connect', said)
    const others = this.working.size + this.opening - 1
    if (others > 0) {
      this.limits.capConnections(others)
      this.refused = { reply: said?.text ?? text, named: ask?.about === 'at-once' ? ask.limit : undefined }
      return 'elsewhere'
    }
    if (this.mayTryAlone()) return 'again'
    this.refused = undefined
    this.limits.uncapConnections()
    if (ask?.about === 'pace') {
      this.limits.learnPace({ ...ask, wait: ask.wait ?? 30 }, text)
      return { is: 'throttled', reply: text, ask }
    }
    return { is: 'transport-fault', reply: text, isCrowded: true }
  }

  /** The last of several refused at the same moment: without the others it may be accepted. */
  private mayTryAlone(): boolean {
    this.refusedInRow += 1
    return this.refusedInRow === 1 && this.limits.isCoolingDown()
  }

  private onceConnected() {
    if (!this.refused) return
    const { reply, named } = this.refused
    this.refused = undefined
    if (this.working.size > 0) this.limits.learnConnections(this.working.size, reply, named)
  }

  noteSent({ mail, learnLimit }: Attempt): void {
    this.refusedInRow = 0
    this.suspects.noteSent(mail)
    learnLimit?.()
    this.limits.noteSent()
  }

  interpret(connection: Connection, attempt: Attempt, outcome: Outcome, isUsed: boolean): Outcome | Retry {
    if (outcome.is === 'transport-fault' && outcome.isOfMail) return this.judgeMail(attempt, outcome)
    if (outcome.is !== 'throttled') return outcome
    const { reply, ask } = outcome
    if (ask.about !== 'pace') this.quit(connection)
    if (ask.about === 'connection' && isUsed) {
      const mails = connection.conversation.tried - 1
      if (!ask.isVague) attempt.learnLimit = () => this.limits.learnMailsPerConnection(mails, reply)
      return 'again'
    }
    if (ask.isVague) return deferred(outcome)
    if (ask.about !== 'at-once') return this.judgeMail(attempt, outcome)
    const others = this.working.size + this.opening
    if (others === 0) return this.mayTryAlone() ? 'again' : this.judgeMail(attempt, outcome)
    if (attempt.learnLimit) return this.judgeMail(attempt, outcome)
    this.limits.capConnections(others)
    attempt.learnLimit = () => this.limits.learnConnections(others, reply, ask.limit)
    return 'elsewhere'
  }

  private judgeMail(attempt: Attempt, outcome: Limited): Outcome {
    const { reply } = outcome
    const ask = outcome.is === 'throttled' ? outcome.ask : undefined
    delete attempt.learnLimit
    if (ask?.about === 'at-once') this.limits.uncapConnections()
    const verdict = this.suspects.judge(attempt.mail)
    if (verdict.is === 'own') return deferred(outcome)
    // while other connections work, it is no outage either
    if (verdict.is === 'alone' || (ask?.about === 'at-once' && this.working.size + this.opening > 0))
      return { is: 'set-aside', reply, wait: ask?.wait ?? verdict.wait }
    if (!ask || ask.about === 'at-once')
      return { is: 'transport-fault', reply, wait: waitSeconds.probe, ...(ask ? { isCrowded: true } : {}) }
    this.limits.learnPace(ask, reply)
    return { ...outcome, wait: this.limits.restSeconds() + waitSeconds.limit }
  }

  closeUnused(idleMs: number): void {
    const limit = Date.now() - idleMs
    for (let [oldest] = this.idle; oldest && oldest.since <= limit; [oldest] = this.idle) {
      this.idle.shift()
      this.quit(oldest.connection)
    }
  }

  close(): void {
    for (const conversation of this.working) void conversation.quit()
    this.idle.length = 0
  }
}

function deferred(outcome: Limited): Outcome {
  const wait = outcome.is === 'throttled' ? outcome.ask.wait : undefined
  return { is: 'deferred', reply: outcome.reply, ...(wait ? { wait } : {}) }
}

/** nodemailer keeps the server's reply next to its own message. */
function replyOf(error: unknown): Reply | undefined {
  const said = error instanceof Error && 'response' in error ? error.response : undefined
  return typeof said === 'string' ? readReply(Buffer.from(said).toString('latin1').split(/\r?\n/)) : undefined
}
