import { randomUUID } from 'node:crypto'
import type { SmtpSettings } from '../config/smtp.ts'
import type { Limits, Mail, MailTransport, Outcome, Peer } from './delivery.ts'
import { ServerLimits, serverOf } from './server-limits.ts'
import { Connections } from './wire/connections.ts'
import { Conversation } from './wire/conversation.ts'
import { isOneAddress } from './wire/message.ts'
import { tokenSource } from './wire/oauth.ts'
import { Senders } from './wire/senders.ts'
import { signIn } from './wire/sign-in.ts'
import { type Timeouts, usualTimeouts } from './wire/timeouts.ts'

export interface SmtpOptions {
  timeouts?: Partial<Timeouts>
  /** Certificates (PEM) to trust instead of the system's. */
  ca?: string
  idleMs?: number
  /** A server that takes longer for an email gets no pipelined envelopes. */
  pipelineUnderMs?: number
}

const sweepEveryMs = 5_000

export function smtpTransport(settings: SmtpSettings, options: SmtpOptions = {}): MailTransport {
  const timeouts = { ...usualTimeouts, ...options.timeouts }
  const token = settings.oauth && tokenSource(settings.oauth)
  const connect = async (onClose: () => void) => {
    const { socket, offers } = await signIn(settings, timeouts, options.ca, token)
    return new Conversation(socket, offers, timeouts, onClose)
  }
  return new SmtpTransport(serverOf(settings), new ServerLimits(settings.connections), connect, options)
}

class SmtpTransport implements MailTransport {
  private readonly server: string
  private readonly worker = randomUUID()
  private readonly limits: ServerLimits
  private readonly connections: Connections
  private readonly senders: Senders
  private readonly sweeper: NodeJS.Timeout

  constructor(
    server: string,
    limits: ServerLimits,
    connect: (onClose: () => void) => Promise<Conversation>,
    { idleMs = 30_000, pipelineUnderMs = 250 }: SmtpOptions
  ) {
    this.server = server
    this.limits = limits
    this.connections = new Connections(limits, connect)
    this.senders = new Senders(limits, this.connections, pipelineUnderMs)
    this.sweeper = setInterval(() => this.connections.closeUnused(idleMs), sweepEveryMs).unref()
  }

  get concurrency(): number {
    return this.limits.connections
  }

  get pipelined(): number {
    return this.senders.mayPipeline ? this.limits.connections : 0
  }

  get peer(): Peer {
    const { server, worker, connections, limits } = this
    return { server, worker, open: connections.count, learned: limits.learned }
  }

  applyLimits(limits: Limits): void {
    this.limits.apply(limits)
  }

  send(mail: Mail): Promise<Outcome> {
    return isOneAddress(mail.to) ? this.senders.send(mail) : Promise.resolve(notOneAddress)
  }

  async verify(): Promise<string | undefined> {
    const result = await this.connections.open()
    if (typeof result === 'string') return undefined
    if ('is' in result) return result.reply
    void result.conversation.quit()
    return undefined
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper)
    this.connections.close()
  }
}

const notOneAddress: Outcome = {
  is: 'recipient-failed',
  reply: 'Not a single plain address. Nothing was sent.',
  suppress: false
}
