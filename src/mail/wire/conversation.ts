/** Sends over one SMTP connection. With PIPELINING (RFC 2920) the next envelope leaves right behind an email's text. */
import type { Socket } from 'node:net'
import type { Mail, Outcome } from '../delivery.ts'
import { Channel } from './channel.ts'
import { asText, commandsFor, isAscii } from './message.ts'
import { judgeRefusal } from './refusal.ts'
import type { Reply } from './reply.ts'
import type { Timeouts } from './timeouts.ts'

export interface Offers {
  pipelining: boolean
  smtputf8: boolean
}

/** 250, and 251 or 252 for an address that is forwarded or cannot be checked. Any other 2xx answers something else. */
const isYes = ({ code }: Reply) => code >= 250 && code <= 252

const states = [
  { stage: 'sender', isExpected: isYes, whenLost: 'transport-fault' },
  { stage: 'recipient', isExpected: isYes, whenLost: 'not-sent' },
  { stage: 'data', isExpected: ({ code }: Reply) => code === 354, whenLost: 'not-sent' }
] as const

export class Conversation {
  tried = 0
  private mustReset = false
  /** The email whose envelope was sent behind the text of the one before. */
  private pipelined: Mail | undefined
  private readonly channel: Channel
  private readonly offers: Offers
  private readonly timeouts: Timeouts

  constructor(socket: Socket, offers: Offers, timeouts: Timeouts, onClose: () => void) {
    this.channel = new Channel(socket, onClose)
    this.offers = offers
    this.timeouts = timeouts
  }

  get isOpen(): boolean {
    return this.channel.isOpen
  }

  /** One at a time. `following` names the email to pipeline behind (RFC 2920 §3.1), which must be sent next. */
  async send(mail: Mail, following?: () => Mail | undefined): Promise<Outcome> {
    if (this.isTooWide(mail)) return { is: 'recipient-failed', reply: noWideAddresses, suppress: false }
    this.tried += 1
    const commands = commandsFor(mail, this.mustReset)
    if (this.offers.pipelining && mail !== this.pipelined) this.channel.write(commands.join(''), commands.length)
    this.pipelined = undefined
    if (this.mustReset) await this.reset(commands.shift()!)
    for (let step = 0; step < states.length; step++) {
      const outcome = await this.pass(step, commands[step]!)
      if (outcome) return outcome
    }
    return this.transmit(mail.bytes(), following)
  }

  quit(): Promise<void> {
    return this.channel.quit()
  }

  private isTooWide({ to }: Mail): boolean {
    return !this.offers.smtputf8 && !isAscii(to)
  }

  private ask(command: string) {
    if (!this.offers.pipelining) this.channel.write(command, 1)
    return this.channel.next(this.timeouts.commandMs)
  }

  private async reset(command: string) {
    const reply = await this.ask(command)
    if (reply && reply.code !== 250)
      this.channel.distrust(`The mail server did not reset the connection: ${reply.text}`)
    this.mustReset = false
  }

  private async pass(step: number, command: string): Promise<Outcome | undefined> {
    const { stage, isExpected, whenLost } = states[step]!
    const reply = await this.ask(command)
    if (reply && reply.code < 400 && !isExpected(reply)) this.channel.distrust(misfit(reply))
    if (!reply || !this.isOpen) return { is: whenLost, reply: this.channel.closeReason }
    if (reply.code < 400) return undefined
    this.mustReset = stage !== 'sender'
    if (this.offers.pipelining) await this.skip(states.length - 1 - step)
    if (reply.code === 421) this.channel.close(reply.text)
    return judgeRefusal(stage, reply)
  }

  /** Reads the replies to commands sent ahead. The last is DATA: if that is not refused too, no mail may follow. */
  private async skip(count: number) {
    for (let left = count; left > 0; left--) {
      const reply = await this.channel.next(this.timeouts.commandMs)
      if (left === 1 && reply && reply.code < 400) this.channel.distrust(misfit(reply))
    }
  }

  private async transmit(bytes: Buffer, following?: () => Mail | undefined): Promise<Outcome> {
    const { channel } = this
    const next = this.offers.pipelining && this.isOpen ? following?.() : undefined
    if (next && !this.isTooWide(next)) this.pipelined = next
    const commands = this.pipelined ? commandsFor(this.pipelined, this.mustReset) : []
    channel.write(Buffer.concat([...asText(bytes), Buffer.from(commands.join(''))]), 1 + commands.length)
    const reply = await channel.next(this.timeouts.finalDotMs)
    if (!reply) return { is: 'unknown', reply: channel.closeReason }
    if (isYes(reply) && channel.isConfused) return { is: 'unknown', reply: channel.closeReason }
    if (isYes(reply)) return { is: 'sent', reply: reply.text }
    if (reply.code === 421) channel.close(reply.text)
    if (reply.code >= 400) return judgeRefusal('message', reply)
    channel.distrust(misfit(reply))
    return { is: 'unknown', reply: reply.text }
  }
}

const noWideAddresses = 'The mail server does not take addresses with non-ASCII characters (it lacks SMTPUTF8)'
const misfit = ({ text }: Reply) => `The mail server’s reply does not fit the command: ${text}`
