/**
 * One signed-in SMTP connection, spoken by ourselves: MAIL, RCPT and DATA in one packet, and behind the text before them,
 * where the server offers PIPELINING (RFC 2920), and exact knowledge of how far a message got when the connection is lost.
 */
import type { Socket } from 'node:net'
import type { Mail, Outcome } from '../delivery.ts'
import { judgeRefusal } from './refusal.ts'
import type { Reply } from './reply.ts'
import { readReplies } from './reply-reader.ts'
import { asText, commandsFor, isAscii } from './text.ts'

export interface Offers {
  pipelining: boolean
  smtputf8: boolean
}

/** Milliseconds. */
export interface Patience {
  connect: number
  greeting: number
  /** For the answer to a command. */
  command: number
  /** For the answer to the final dot: RFC 5321 §4.5.3.2.6 asks for ten minutes at least. */
  finalDot: number
}

export interface Conversation {
  readonly isOpen: boolean
  /** Messages that were tried on it. */
  readonly tried: number
  /**
   * One at a time. While the text leaves, `following` may name the next mail: its envelope goes right behind (RFC 2920 §3.1),
   * which spares a round trip. That mail is the next to send here; its text leaves only when this one is answered.
   */
  send(mail: Mail, following?: () => Mail | undefined): Promise<Outcome>
  /** Closes it; resolves once the server has done so too, or after a second. */
  quit(): Promise<void>
}

/** Takes over a socket that has said EHLO and, where asked, signed in. `onClose` is called once. */
export function converse(socket: Socket, offers: Offers, patience: Patience, onClose: () => void): Conversation {
  let isOpen = true
  let lost = ''
  /** It answered more often than it was asked, or something else: which answer belongs to what cannot be told. */
  let isConfused = false
  let tried = 0
  let mustReset = false
  let ahead: Mail | undefined
  let owed = 0 // answers to commands and texts that went out
  const replies: Reply[] = []
  let waiting: ((reply: Reply | undefined) => void) | undefined
  let alarm: NodeJS.Timeout | undefined

  const read = readReplies(take, lose)
  socket.on('data', chunk => void (isOpen && read(chunk)))
  socket.on('error', error => lose(error.message))
  socket.on('end', () => lose('The mail server closed the connection'))
  socket.on('close', () => lose('The connection was closed'))

  function lose(reason: string) {
    if (!isOpen) return
    isOpen = false
    lost = reason
    socket.destroy()
    answer(undefined)
    onClose()
  }

  function write(text: string | Buffer, answers: number) {
    owed += answers
    if (isOpen) socket.write(text)
  }

  function lostThread(reason: string) {
    isConfused = true
    lose(reason)
  }

  /** False: no more. What was not asked for is never kept; but 421 may be said at any time (RFC 5321 §3.8). */
  function take(reply: Reply): boolean {
    if (owed === 0 && reply.code === 421) lose(reply.text)
    else if (owed === 0) lostThread(unasked)
    else {
      owed -= 1
      if (waiting) answer(reply)
      else replies.push(reply)
    }
    return isOpen
  }

  function answer(reply: Reply | undefined) {
    const resolve = waiting
    waiting = undefined
    clearTimeout(alarm)
    resolve?.(reply)
  }

  /** The next reply, or undefined when the connection is lost or the server takes too long. */
  function next(milliseconds: number): Promise<Reply | undefined> | Reply | undefined {
    if (replies.length > 0 || !isOpen) return replies.shift()
    return new Promise(resolve => {
      waiting = resolve
      alarm = setTimeout(
        () => lose(`The mail server did not answer for ${Math.round(milliseconds / 1000)} s`),
        milliseconds
      )
    })
  }

  const isTooWide = ({ to }: Mail) => !offers.smtputf8 && !isAscii(to)

  async function send(mail: Mail, following?: () => Mail | undefined): Promise<Outcome> {
    if (isTooWide(mail)) return { is: 'recipient-failed', reply: noWideAddresses, suppress: false }
    tried += 1
    const commands = commandsFor(mail, mustReset)
    if (offers.pipelining && mail !== ahead) write(commands.join(''), commands.length)
    ahead = undefined
    const ask = (command: string) => {
      if (!offers.pipelining) write(command, 1)
      return next(patience.command)
    }
    if (mustReset) {
      const reset = await ask(commands.shift()!)
      if (reset && reset.code !== 250) lostThread(`The mail server did not reset the connection: ${reset.text}`)
    }
    mustReset = false
    const sender = await ask(commands[0]!)
    if (sender && !isYes(sender) && sender.code < 400) lostThread(misfit(sender))
    if (!sender || !isOpen) return { is: 'transport-fault', reply: lost }
    if (sender.code >= 400) return refused('sender', sender, 2)
    const recipient = await ask(commands[1]!)
    if (recipient && !isYes(recipient) && recipient.code < 400) lostThread(misfit(recipient))
    if (!recipient || !isOpen) return { is: 'not-sent', reply: lost }
    if (recipient.code >= 400) return refused('recipient', recipient, 1)
    const go = await ask(commands[2]!)
    if (go && go.code !== 354 && go.code < 400) lostThread(misfit(go))
    if (!go || !isOpen) return { is: 'not-sent', reply: lost }
    if (go.code !== 354) return refused('data', go, 0)
    return transmit(mail.bytes(), following)
  }

  async function refused(stage: 'sender' | 'recipient' | 'data', reply: Reply, outstanding: number): Promise<Outcome> {
    mustReset = stage !== 'sender'
    if (offers.pipelining) await skip(outstanding)
    if (reply.code === 421) lose(reply.text)
    return judgeRefusal(stage, reply)
  }

  /** Reads the answers to what was sent ahead, DATA last: where that is not refused too, the line is cut and no mail sent. */
  async function skip(outstanding: number) {
    for (let left = outstanding; left > 0; left--) {
      const reply = await next(patience.command)
      if (left === 1 && reply && reply.code < 400) lostThread(misfit(reply))
    }
  }

  async function transmit(bytes: Buffer, following?: () => Mail | undefined): Promise<Outcome> {
    const behind = offers.pipelining && isOpen ? following?.() : undefined
    if (behind && !isTooWide(behind)) ahead = behind
    const commands = ahead ? commandsFor(ahead, mustReset) : []
    write(Buffer.concat([...asText(bytes), Buffer.from(commands.join(''))]), 1 + commands.length)
    const reply = await next(patience.finalDot)
    if (!reply) return { is: 'unknown', reply: lost }
    if (isYes(reply)) return isConfused ? { is: 'unknown', reply: lost } : { is: 'sent', reply: reply.text }
    if (reply.code === 421) lose(reply.text)
    if (reply.code < 400) lostThread(misfit(reply))
    return reply.code < 400 ? { is: 'unknown', reply: reply.text } : judgeRefusal('message', reply)
  }

  /** The server closes, so that it has counted us out when we come back. */
  async function quit() {
    if (!isOpen) return
    isOpen = false
    lost = 'Closed'
    answer(undefined)
    onClose()
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    const timer = setTimeout(() => socket.destroy(), 1_000)
    socket.unref().write('QUIT\r\n')
    await closed
    clearTimeout(timer)
  }

  return {
    get isOpen() {
      return isOpen
    },
    get tried() {
      return tried
    },
    send,
    quit
  }
}

const noWideAddresses = 'The mail server does not take addresses with characters outside of ASCII (it lacks SMTPUTF8)'
const unasked = 'The mail server answered more often than it was asked, so its answers cannot be trusted'
const misfit = ({ text }: Reply) => `The mail server gave an answer that does not fit the question: ${text}`
/** 250, and 251 or 252 for an address that is forwarded or cannot be checked. Another 2xx belongs to something else. */
const isYes = ({ code }: Reply) => code >= 250 && code <= 252
