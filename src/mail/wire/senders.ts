import type { Mail, Outcome } from '../delivery.ts'
import type { ServerLimits } from '../server-limits.ts'
import type { Attempt, Connection } from './connection.ts'
import type { Connections, Retry } from './connections.ts'
import { readable } from './reply.ts'

interface Job extends Attempt {
  done: (outcome: Outcome) => void
}

interface Sender {
  connection: Connection | undefined
  /** The job whose envelope was sent behind the text before it. */
  pipelined: Job | undefined
}

const maxLostInRow = 3

export class Senders {
  private readonly limits: ServerLimits
  private readonly connections: Connections
  private readonly pipelineUnderMs: number
  private readonly queue: Job[] = []
  private running = 0
  private lastReply = ''
  private isQuick = false
  private lostInRow = 0

  constructor(limits: ServerLimits, connections: Connections, pipelineUnderMs: number) {
    this.limits = limits
    this.connections = connections
    this.pipelineUnderMs = pipelineUnderMs
  }

  /** Not to a slow server, since a pause must act soon; nor after a limit, nor when envelopes get lost. */
  get mayPipeline(): boolean {
    return this.isQuick && this.lostInRow < maxLostInRow && !this.limits.isCoolingDown()
  }

  send(mail: Mail): Promise<Outcome> {
    if (this.limits.isResting())
      return Promise.resolve({ is: 'throttled', reply: this.lastReply, ask: { about: 'pace' } })
    return new Promise(done => {
      this.queue.push({ mail, done })
      this.start()
    })
  }

  private start() {
    if (this.queue.length > 0 && this.running < this.limits.connections) void this.run()
  }

  private async run() {
    this.running += 1
    const sender: Sender = { connection: undefined, pipelined: undefined }
    for (let job = this.nextJob(sender); job; job = this.nextJob(sender)) {
      const isPipelined = job === sender.pipelined
      sender.pipelined = undefined
      const outcome = await this.sendJob(sender, job, isPipelined).catch((error: Error) => giveUp(sender, error))
      if (outcome === 'elsewhere') {
        // fewer connections than we thought: the other senders take the job
        this.queue.unshift(job, ...takePipelined(sender))
        break
      }
      job.done(outcome)
      if (outcome.is === 'throttled' || outcome.is === 'transport-fault') this.returnAll(sender, outcome)
    }
    this.running -= 1
    this.connections.release(sender.connection)
    this.start()
  }

  private nextJob(sender: Sender): Job | undefined {
    return sender.pipelined ?? (this.running <= this.limits.connections ? this.queue.shift() : undefined)
  }

  /** Returns waiting emails untried, due before the refused one. */
  private returnAll(sender: Sender, outcome: Outcome & { is: 'throttled' | 'transport-fault' }) {
    this.lastReply = outcome.reply
    const pipelined = takePipelined(sender)
    for (const { done } of [...pipelined, ...this.queue.splice(0)]) done({ ...outcome, wait: 1 })
    if (pipelined.length > 0) void sender.connection?.conversation.quit()
  }

  private async sendJob(sender: Sender, job: Job, wasPipelined: boolean): Promise<Outcome | 'elsewhere'> {
    for (;;) {
      const connection = await this.connectionFor(sender)
      if (connection === 'again') continue
      if (connection === 'elsewhere' || 'is' in connection) return connection
      const isPipelined = wasPipelined && connection === sender.connection
      sender.connection = connection
      const outcome = await this.sendOver(sender, connection, job, isPipelined)
      if (outcome !== 'again') return outcome
    }
  }

  private async connectionFor(sender: Sender): Promise<Connection | Outcome | Retry> {
    if (sender.connection?.isUsable) return sender.connection
    this.connections.release(sender.connection)
    return this.connections.takeIdle() ?? this.connections.open()
  }

  private async sendOver(sender: Sender, connection: Connection, job: Job, isPipelined: boolean) {
    const { conversation } = connection
    const isUsed = conversation.tried > 0
    const startedAt = Date.now()
    const following = sender.pipelined ? undefined : () => this.pipelineNext(sender)
    const outcome = await conversation.send(job.mail, following)
    this.isQuick = Date.now() - startedAt < this.pipelineUnderMs
    const isLostEarly = !conversation.isOpen && (outcome.is === 'transport-fault' || outcome.is === 'not-sent')
    if (isPipelined) this.lostInRow = isLostEarly ? this.lostInRow + 1 : 0
    // a server may close an idle connection; that says nothing about the server or the recipient
    if (isLostEarly && isUsed) return 'again'
    if (outcome.is === 'sent') this.connections.noteSent(job)
    return this.connections.interpret(connection, job, outcome, isUsed)
  }

  private pipelineNext(sender: Sender): Mail | undefined {
    if (!sender.pipelined && sender.connection?.isUsedUp === false && this.mayPipeline)
      sender.pipelined = this.queue.shift()
    return sender.pipelined?.mail
  }
}

function takePipelined(sender: Sender): Job[] {
  const jobs = sender.pipelined ? [sender.pipelined] : []
  sender.pipelined = undefined
  return jobs
}

/** The email cannot be composed. Its connection may be halfway through it, so it is not used again. */
function giveUp(sender: Sender, { message }: Error): Outcome {
  void sender.connection?.conversation.quit()
  sender.connection = undefined
  return { is: 'not-composed', reply: readable(Buffer.from(message).toString('latin1')) }
}
