/** The connections of a transport: opened within the server's limits, kept while used, replaced when used up. */
import type { Mail, Outcome } from '../delivery.ts'
import type { ServerLimits } from '../server-limits.ts'
import type { Conversation } from './conversation.ts'
import { askOf } from './limits.ts'
import { type Reply, readable, readReply } from './reply.ts'
import { Suspects } from './suspects.ts'

/** One connection and how many mails it is to carry. */
export class Line {
  readonly conversation: Conversation
  readonly mails: number
  readonly isTrial: boolean

  constructor(conversation: Conversation, { mails, isTrial }: { mails: number; isTrial: boolean }) {
    this.conversation = conversation
    this.mails = mails
    this.isTrial = isTrial
  }

  get isUsedUp(): boolean {
    return this.conversation.tried >= this.mails
  }

  get isFit(): boolean {
    return this.conversation.isOpen && !this.isUsedUp
  }
}

/** A mail in flight. */
export interface InFlight {
  mail: Mail
  /** Learns the limit of connections that the mail met. Called once another connection takes the mail, which proves it. */
  noteLimit?: () => void
}

/** Seconds after a limit in which other mails go before the one that was refused, and until another one has probed. */
const waitSeconds = { rest: 5, probe: 35 }

type Refused = { reply: string; named: number | undefined }

export class Lines {
  private readonly limits: ServerLimits
  private readonly connect: (onClose: () => void) => Promise<Conversation>
  private readonly working = new Set<Conversation>()
  private readonly closing = new Set<Promise<void>>()
  private readonly idle: { line: Line; since: number }[] = []
  private readonly suspects = new Suspects()
  private opening = 0
  /** One more was refused while others were opening: how many the server allows is known once these are open. */
  private refused: Refused | undefined
  /** Refusals in a row without a connection that works. */
  private alone = 0

  constructor(limits: ServerLimits, connect: (onClose: () => void) => Promise<Conversation>) {
    this.limits = limits
    this.connect = connect
  }

  get count(): number {
    return this.working.size
  }

  take(): Line | undefined {
    for (let rested = this.idle.pop(); rested; rested = this.idle.pop()) if (rested.line.isFit) return rested.line
    return undefined
  }

  /** After its last mail for now: kept, unless it is used up or one too many. */
  rest(line: Line | undefined): void {
    if (!line?.conversation.isOpen) return
    if (line.isUsedUp && line.isTrial) this.limits.noteConnection(line.mails, '')
    if (line.isUsedUp || this.working.size > this.limits.lanes) this.quit(line)
    else this.idle.push({ line, since: Date.now() })
  }

  private quit({ conversation }: Line) {
    const closed = conversation.quit().finally(() => this.closing.delete(closed))
    this.closing.add(closed)
  }

  /** A new connection; `elsewhere`: refused, and others work. */
  async open(): Promise<Line | Outcome | 'again' | 'elsewhere'> {
    this.opening += 1
    try {
      // one that is closing still counts
      await Promise.all(this.closing)
      const conversation = await this.connect(() => this.working.delete(conversation))
      this.working.add(conversation)
      return new Line(conversation, this.limits.allowance())
    } catch (error) {
      return this.judge(error)
    } finally {
      this.opening -= 1
      this.settle()
    }
  }

  private judge(error: unknown): Outcome | 'again' | 'elsewhere' {
    const words = error instanceof Error ? error.message : String(error)
    const text = readable(Buffer.from(words).toString('latin1'))
    const said = replyOf(error)
    const ask = said && askOf('connect', said)
    const others = this.working.size + this.opening - 1
    if (others > 0) {
      this.limits.crowd(others)
      this.refused = { reply: said?.text ?? text, named: ask?.about === 'at-once' ? ask.limit : undefined }
      return 'elsewhere'
    }
    if (this.mayBeNow()) return 'again'
    this.refused = undefined
    this.limits.fail()
    if (ask?.about === 'pace') {
      this.limits.notePace({ ...ask, wait: ask.wait ?? 30 }, text)
      return { is: 'throttled', reply: text, ask }
    }
    return { is: 'transport-fault', reply: text, isCrowded: true }
  }

  /** The last of several that were refused at the same moment: without the others it may be taken. */
  private mayBeNow(): boolean {
    this.alone += 1
    return this.alone === 1 && !this.limits.isCalm()
  }

  noteSent({ mail, noteLimit }: InFlight): void {
    this.alone = 0
    this.suspects.noteSent(mail)
    noteLimit?.()
    this.limits.noteSent()
  }

  private settle() {
    if (this.opening > 0 || !this.refused) return
    const { reply, named } = this.refused
    this.refused = undefined
    if (this.working.size > 0) this.limits.noteAtOnce(this.working.size, reply, named)
  }

  /** What a limit means for the mail that met it: again on another connection, on one that works, or not now. */
  read(line: Line, inFlight: InFlight, outcome: Outcome, isUsed: boolean): Outcome | 'again' | 'elsewhere' {
    if (outcome.is === 'transport-fault' && outcome.isOfMail) return this.weigh(inFlight, outcome)
    if (outcome.is !== 'throttled') return outcome
    const { reply, ask } = outcome
    if (ask.about !== 'pace') this.quit(line)
    if (ask.about === 'connection' && isUsed) {
      const mails = line.conversation.tried - 1
      if (!ask.isVague) inFlight.noteLimit = () => this.limits.noteConnection(mails, reply)
      return 'again'
    }
    if (ask.isVague) return deferred(outcome)
    if (ask.about !== 'at-once') return this.weigh(inFlight, outcome)
    const others = this.working.size + this.opening
    if (others === 0) return this.mayBeNow() ? 'again' : this.weigh(inFlight, outcome)
    if (inFlight.noteLimit) return this.weigh(inFlight, outcome)
    this.limits.crowd(others)
    inFlight.noteLimit = () => this.limits.noteAtOnce(others, reply, ask.limit)
    return 'elsewhere'
  }

  /** No other connection helped: is it a limit, or this mail? */
  private weigh(inFlight: InFlight, outcome: Outcome & { is: 'throttled' | 'transport-fault' }): Outcome {
    const { reply } = outcome
    const ask = outcome.is === 'throttled' ? outcome.ask : undefined
    delete inFlight.noteLimit
    if (ask?.about === 'at-once') this.limits.fail()
    const verdict = this.suspects.judge(inFlight.mail)
    if (verdict.is === 'own') return deferred(outcome)
    // where other connections work it is no outage either
    if (verdict.is === 'alone' || (ask?.about === 'at-once' && this.working.size + this.opening > 0))
      return { is: 'set-aside', reply, wait: ask?.wait ?? verdict.wait }
    if (!ask || ask.about === 'at-once')
      return { is: 'transport-fault', reply, wait: waitSeconds.probe, ...(ask ? { isCrowded: true } : {}) }
    this.limits.notePace(ask, reply)
    return { ...outcome, wait: this.limits.restLeft() + waitSeconds.rest }
  }

  closeUnused(milliseconds: number): void {
    const limit = Date.now() - milliseconds
    while (this.idle[0] && this.idle[0].since <= limit) this.quit(this.idle.shift()!.line)
  }

  close(): void {
    for (const conversation of this.working) void conversation.quit()
    this.idle.length = 0
  }
}

function deferred(outcome: Outcome & { is: 'throttled' | 'transport-fault' }): Outcome {
  const wait = outcome.is === 'throttled' ? outcome.ask.wait : undefined
  return { is: 'deferred', reply: outcome.reply, ...(wait ? { wait } : {}) }
}

/** nodemailer keeps the server's words beside its own. */
function replyOf(error: unknown): Reply | undefined {
  const said = (error as { response?: unknown }).response
  return typeof said === 'string' ? readReply(Buffer.from(said).toString('latin1').split(/\r?\n/)) : undefined
}
