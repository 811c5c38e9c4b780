/**
 * One signed-in SMTP connection, spoken by ourselves: MAIL, RCPT and DATA in one packet, and behind the text before them,
 * where the server offers PIPELINING (RFC 2920), and exact knowledge of how far a message got when the connection is lost.
 */
import type { Socket } from 'node:net'
import type { Mail, Outcome } from '../delivery.ts'
import { judgeRefusal, type Reply, readable, readReply } from './reply.ts'

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
  quit(): void
}

const longestAnswer = 65_536

/** Takes over a socket that has said EHLO and, where asked, signed in. `onClose` is called once. */
export function converse(socket: Socket, offers: Offers, patience: Patience, onClose: () => void): Conversation {
  let isOpen = true
  let lost = ''
  let tried = 0
  let mustReset = false
  let ahead: Mail | undefined
  let unread = ''
  let lines: string[] = []
  const replies: Reply[] = []
  let waiting: ((reply: Reply | undefined) => void) | undefined
  let alarm: NodeJS.Timeout | undefined

  socket.on('data', read)
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

  function read(chunk: Buffer) {
    unread += chunk.toString('latin1')
    let end = unread.indexOf('\n')
    for (; end >= 0; end = unread.indexOf('\n')) {
      const line = unread.slice(0, unread[end - 1] === '\r' ? end - 1 : end)
      unread = unread.slice(end + 1)
      lines.push(line)
      if (line[3] === '-' && lines.length < 100) continue
      const reply = readReply(lines)
      const said = lines.join(' ')
      lines = []
      if (!reply) return lose(`The mail server answered with something else than SMTP: ${readable(said)}`)
      if (waiting) answer(reply)
      else replies.push(reply)
    }
    if (unread.length > longestAnswer) lose('The mail server’s answer did not end')
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

  function commandsFor({ from, to }: Mail): string[] {
    const isWide = !isAscii(to) || !isAscii(from)
    const mail = `MAIL FROM:<${from}>${isWide ? ' SMTPUTF8 BODY=8BITMIME' : ''}\r\n`
    return [...(mustReset ? ['RSET\r\n'] : []), mail, `RCPT TO:<${to}>\r\n`, 'DATA\r\n']
  }

  const isTooWide = ({ to }: Mail) => !offers.smtputf8 && !isAscii(to)

  async function send(mail: Mail, following?: () => Mail | undefined): Promise<Outcome> {
    if (isTooWide(mail)) return { is: 'recipient-failed', reply: noWideAddresses, suppress: false }
    tried += 1
    const commands = commandsFor(mail)
    if (offers.pipelining && mail !== ahead) socket.write(commands.join(''))
    ahead = undefined
    const ask = (command: string) => {
      if (!offers.pipelining && isOpen) socket.write(command)
      return next(patience.command)
    }
    if (mustReset) await ask(commands.shift()!)
    mustReset = false
    const sender = await ask(commands[0]!)
    if (!sender) return { is: 'transport-fault', reply: lost }
    if (sender.code >= 300) return refused('sender', sender, 2)
    const recipient = await ask(commands[1]!)
    if (recipient && recipient.code >= 300 && recipient.code < 400) lose(recipient.text)
    if (!recipient || !isOpen) return { is: 'not-sent', reply: lost }
    if (recipient.code >= 300) return refused('recipient', recipient, 1)
    const go = await ask(commands[2]!)
    if (!go) return { is: 'not-sent', reply: lost }
    if (go.code !== 354) return refused('data', go, 0)
    return transmit(mail.bytes(), following)
  }

  async function refused(stage: 'sender' | 'recipient' | 'data', reply: Reply, outstanding: number): Promise<Outcome> {
    mustReset = stage !== 'sender'
    if (offers.pipelining) await skip(outstanding)
    if (reply.code === 421) lose(reply.text)
    return judgeRefusal(stage, reply)
  }

  /** Reads the answers to what was sent ahead. A server that wants the text all the same gets the line cut, not a mail. */
  async function skip(outstanding: number) {
    for (let left = outstanding; left > 0; left--) {
      const reply = await next(patience.command)
      if (reply?.code === 354) lose('The mail server asked for the text of a mail that it had refused')
    }
  }

  async function transmit(bytes: Buffer, following?: () => Mail | undefined): Promise<Outcome> {
    const dot = bytes.subarray(-2).equals(crlf) ? '.\r\n' : '\r\n.\r\n'
    const behind = offers.pipelining && isOpen ? following?.() : undefined
    if (behind && !isTooWide(behind)) ahead = behind
    const rest = Buffer.from(ahead ? dot + commandsFor(ahead).join('') : dot)
    socket.write(Buffer.concat([withDotsDoubled(bytes), rest]))
    const reply = await next(patience.finalDot)
    if (!reply) return { is: 'unknown', reply: lost }
    if (reply.code < 300) return { is: 'sent', reply: reply.text }
    if (reply.code === 421) lose(reply.text)
    if (reply.code < 400) lose('The mail server lost the thread')
    return reply.code < 400 ? { is: 'unknown', reply: reply.text } : judgeRefusal('message', reply)
  }

  function quit() {
    if (!isOpen) return
    socket.write('QUIT\r\n', () => lose('Closed'))
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
const crlf = Buffer.from('\r\n')
const isAscii = (text: string) => /^[\x00-\x7f]*$/.test(text)

/** RFC 5321 §4.5.2. Our own messages never need it. */
function withDotsDoubled(bytes: Buffer): Buffer {
  if (bytes[0] !== 46 && !bytes.includes('\r\n.')) return bytes
  return Buffer.from(
    bytes.toString('latin1').replace(/^\.|\r\n\./g, dotted => `${dotted}.`),
    'latin1'
  )
}
