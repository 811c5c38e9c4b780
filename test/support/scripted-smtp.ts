/** A mail server that misbehaves according to the recipient's local part: `r550.ada@…` is refused with 550, and so on. */
import net, { type AddressInfo, type Socket } from 'node:net'
import type { SmtpSettings } from '../../src/config/smtp.ts'
import { settingsFor } from './smtp-server.ts'

/** Replies to RCPT; 421 also closes. */
const atRecipient = new Map(
  Object.entries({
    r550: '550 5.1.1 no such user',
    r518: '550 5.1.8 bad sender',
    r521: '550 5.2.1 mailbox disabled',
    r552: '552 5.2.2 over quota',
    r452: '452 4.2.2 over quota',
    r450: '450 4.2.0 greylisted',
    r453: '452 4.5.3 Too many recipients',
    r401: '421 4.7.0 Too many messages for this session',
    r421: '421 4.7.0 too many connections',
    r431: '452 4.3.1 Insufficient system storage',
    r471: '450 4.7.1 slow down',
    r503: '503 5.5.1 bad sequence',
    r554: '554 5.7.1 relay denied',
    r530: '530 5.7.0 Must issue a STARTTLS command first',
    rplain: '550 no such user here',
    rmulti: '550-5.1.1 The account that you tried\r\n550-5.1.1 to reach does not exist\r\n550 5.1.1 see our pages'
  })
)

/** Replies to DATA. */
const atData = new Map(Object.entries({ d451: '451 4.3.0 no data now', d421: '421 bye', d554: '554 5.5.1 no' }))

/** Replies to the final dot. */
const atEnd = new Map(
  Object.entries({
    e451: '451 4.3.0 try later',
    e421: '421 4.3.2 shutting down',
    e432: '432 4.3.2 Concurrent connections limit exceeded',
    e554: '554 5.7.1 spam',
    e550: '550 5.1.1 no such user after all',
    e552: '552 message refused',
    egarbage: 'okay then'
  })
)

export interface ScriptedOptions {
  ehlo?: string[]
  greeting?: string
  /** Reply to every MAIL. */
  mail?: string
  auth?: string
  reset?: string
  /** Discards everything after a message's text. */
  isForgetful?: boolean
  /** Milliseconds before it accepts a message. */
  pause?: number
  /** After its answer to this verb (or `TEXT`, or `HELLO` for the greeting), once: more, unrequested answers. */
  tooMuch?: { after: string; times: number; isLate?: boolean }
  /** Refuses instead of its usual answer (`HELLO`: the greeting, `TEXT`: the message), according to its limits. */
  refuse?: (at: Moment) => string | undefined
  /** After its answer to this verb: these words again and again, until the connection is cut. */
  flood?: { after: string; words: string }
}

export interface Moment {
  verb: string
  /** Emails that this connection has delivered, without this one. */
  mails: number
  /** The position of this connection among the open ones by age: 1 for the oldest. */
  rank: number
}

export interface ScriptedServer {
  settings: SmtpSettings
  /** Every line that arrived, without message text. */
  commands: string[]
  /** Recipient and text of accepted emails. */
  taken: { to: string; text: string }[]
  /** Connections so far. */
  connections: number
  /** Envelopes that came in one piece with the text before them. */
  behind: number
  /** The answers for `refuse`. */
  refused: string[]
  /** Currently open connections. */
  open: number
  rankOf: (socket: Socket) => number
  /** Bytes of the flood that were sent. */
  babbled: number
  script: ScriptedOptions
  stop: () => Promise<void>
}

export async function startScripted(script: ScriptedOptions = {}, port = 0): Promise<ScriptedServer> {
  const sockets = new Set<Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}))
    scripted.connections += 1
    scripted.open += 1
    socket.on('close', () => {
      scripted.open -= 1
    })
    speak(socket, scripted)
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const settings = settingsFor((server.address() as AddressInfo).port)
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>(resolve => server.close(() => resolve()))
  }
  const scripted: ScriptedServer = {
    settings,
    commands: [],
    taken: [],
    connections: 0,
    behind: 0,
    babbled: 0,
    refused: [],
    open: 0,
    rankOf: socket => [...sockets].indexOf(socket) + 1,
    script,
    stop
  }
  return scripted
}

function babble(socket: Socket, words: string, server: ScriptedServer) {
  const piece = Buffer.from(words.repeat(Math.ceil(16_384 / words.length)))
  const more = () => {
    if (socket.destroyed) return
    server.babbled += piece.length
    if (socket.write(piece)) setImmediate(more)
    else socket.once('drain', more)
  }
  more()
}

function speak(socket: Socket, server: ScriptedServer) {
  let unread = ''
  let to = ''
  let isText = false
  let isSilent = false
  let hasSender = false
  let mails = 0
  let isPausing = false
  socket.setNoDelay(true)
  const say = (line: string) => socket.writable && !isSilent && socket.write(`${line}\r\n`)
  const sayTooMuch = (verb: string) => {
    const { tooMuch, flood } = server.script
    if (flood?.after === verb) return babble(socket, flood.words, server)
    if (tooMuch?.after !== verb) return
    delete server.script.tooMuch
    const more = () => say(Array.from({ length: tooMuch.times }, () => '250 2.0.0 ok').join('\r\n'))
    if (tooMuch.isLate) setTimeout(more, 20)
    else more()
  }
  const deed = () => to.split('@')[0]!.split('.')[0]!
  const refuses = (verb: string): boolean => {
    const words = server.script.refuse?.({ verb, mails, rank: server.rankOf(socket) })
    if (words === undefined) return false
    server.refused.push(words)
    say(words)
    if (words.startsWith('421') || verb === 'HELLO') socket.end()
    return true
  }
  if (refuses('HELLO')) return
  socket.cork()
  say(server.script.greeting ?? '220 scripted ESMTP')
  sayTooMuch('HELLO')
  socket.uncork()
  if (server.script.greeting?.startsWith('4') || server.script.greeting?.startsWith('5')) return socket.end()
  socket.on('data', chunk => {
    unread += chunk.toString('latin1')
    goOn()
  })

  function goOn() {
    // answers that belong together are sent together
    if (server.script.tooMuch) socket.cork()
    while (!isPausing && (isText ? takeText() : takeCommand()));
    socket.uncork()
  }

  function takeCommand(): boolean {
    const end = unread.indexOf('\r\n')
    if (end < 0) return false
    const line = unread.slice(0, end)
    unread = unread.slice(end + 2)
    server.commands.push(line)
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'MAIL') hasSender = false
    if (verb === 'DATA' && !to) say('503 5.5.1 no valid recipients')
    else if (verb === 'RCPT' && !hasSender) say('503 5.5.1 no sender')
    else if (refuses(verb)) to = ''
    else if (verb === 'EHLO') ehlo()
    else if (verb === 'AUTH') say(server.script.auth ?? '235 2.7.0 welcome')
    else if (verb === 'MAIL') mail()
    else if (verb === 'RCPT') recipient(/<([^>]*)>/.exec(line)?.[1] ?? '')
    else if (verb === 'DATA') data()
    else if (verb === 'RSET') say(server.script.reset ?? '250 2.0.0 ok')
    else if (verb === 'QUIT') socket.end('221 bye\r\n')
    else say('502 5.5.2 unknown')
    sayTooMuch(verb)
    return !socket.destroyed
  }

  function ehlo() {
    const offers = [
      'scripted',
      ...(server.script.ehlo ?? ['PIPELINING', 'ENHANCEDSTATUSCODES', 'SMTPUTF8', '8BITMIME'])
    ]
    say(offers.map((offer, i) => `250${i === offers.length - 1 ? ' ' : '-'}${offer}`).join('\r\n'))
  }

  function mail() {
    to = ''
    hasSender = true
    if (server.script.mail === 'drop') return void socket.destroy()
    say(server.script.mail ?? '250 2.1.0 ok')
    if (server.script.mail?.startsWith('421')) socket.end()
  }

  function recipient(address: string) {
    to = address
    const reply = atRecipient.get(deed())
    if (deed() === 'rdrop') return void socket.destroy()
    isSilent ||= deed() === 'rstall'
    say(reply ?? '250 2.1.5 ok')
    if (reply) to = ''
    if (reply?.startsWith('421')) socket.end()
  }

  function data() {
    const reply = atData.get(deed())
    if (deed() === 'ddrop') return void socket.destroy()
    if (reply) {
      say(reply)
      if (reply.startsWith('421')) socket.end()
      return
    }
    say('354 go on')
    isText = true
  }

  function takeText(): boolean {
    if (deed() === 'middrop' && unread.length > 200) return !socket.destroy()
    const end = unread.indexOf('\r\n.\r\n')
    if (end < 0) return false
    const text = unread.slice(0, end + 2)
    unread = unread.slice(end + 5)
    isText = false
    if (unread.startsWith('MAIL')) server.behind += 1
    if (server.script.isForgetful) unread = ''
    if (deed() === 'estall') return false
    if (deed() === 'edrop') return !socket.destroy()
    if (refuses('TEXT')) return !socket.destroyed
    mails += 1
    const reply = atEnd.get(deed())
    if (!reply) server.taken.push({ to, text })
    const answer = reply ?? `250 2.0.0 taken as ${server.taken.length}`
    if (server.script.pause) {
      isPausing = true
      setTimeout(() => {
        isPausing = false
        say(answer)
        goOn()
      }, server.script.pause)
    } else say(answer)
    sayTooMuch('TEXT')
    if (reply?.startsWith('421')) socket.end()
    if (deed() === 'okdrop') socket.destroy()
    return !socket.destroyed
  }
}
