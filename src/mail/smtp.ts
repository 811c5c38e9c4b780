/** The mail server as a transport: some connections, each with one mail after the other. */
import { randomUUID } from 'node:crypto'
import type { SmtpSettings } from '../config/smtp.ts'
import type { Mail, MailTransport, Outcome } from './delivery.ts'
import { ServerLimits, serverOf } from './server-limits.ts'
import { converse, type Patience } from './wire/conversation.ts'
import { type InFlight, type Line, Lines } from './wire/lines.ts'
import { tokenSource } from './wire/oauth.ts'
import { readable } from './wire/reply.ts'
import { signIn } from './wire/sign-in.ts'

export interface SmtpOptions {
  patience?: Partial<Patience>
  /** Certificates (PEM) to trust instead of the system's. */
  ca?: string
  /** Milliseconds after which an unused connection is closed. */
  idle?: number
  /** Milliseconds from the envelope to the answer to the text, up to which the next envelope goes behind that text. */
  quick?: number
}

const usualPatience: Patience = { connect: 30_000, greeting: 60_000, command: 120_000, finalDot: 600_000 }

/** A mail whose outcome is awaited. */
interface Job extends InFlight {
  done: (outcome: Outcome) => void
}

interface Lane {
  line: Line | undefined
  /** The mail whose envelope went out behind the text before it. */
  behind: Job | undefined
}

/** A transport over at most `settings.connections` connections, opened when needed, kept while used. */
export function smtpTransport(settings: SmtpSettings, options: SmtpOptions = {}): MailTransport {
  const patience = { ...usualPatience, ...options.patience }
  const quick = options.quick ?? 250
  const limits = new ServerLimits(settings.connections)
  const lines = new Lines(limits, onClose => connect(onClose))
  const token = settings.oauth && tokenSource(settings.oauth)
  const waiting: Job[] = []
  const peer = { server: serverOf(settings), worker: randomUUID(), asked: limits.asked }
  let lastWords = ''
  let busy = 0
  let misses = 0
  let isQuick = false
  const sweeper = setInterval(() => lines.closeUnused(options.idle ?? 30_000), 5_000).unref()

  function send(mail: Mail): Promise<Outcome> {
    if (!isOneAddress(mail.to))
      return Promise.resolve({
        is: 'recipient-failed',
        reply: 'Not one plain address: nothing was sent',
        suppress: false
      })
    if (limits.isResting()) return Promise.resolve({ is: 'throttled', reply: lastWords, ask: { about: 'pace' } })
    return new Promise(done => {
      waiting.push({ mail, done })
      employ()
    })
  }

  function employ() {
    if (waiting.length > 0 && busy < limits.lanes) void work()
  }

  /** One lane: a mail after the other, while some wait. */
  async function work() {
    busy += 1
    const lane: Lane = { line: undefined, behind: undefined }
    for (let job = waiting.shift(); job; job = lane.behind ?? (busy <= limits.lanes ? waiting.shift() : undefined)) {
      const isBehind = job === lane.behind
      lane.behind = undefined
      const outcome = await sendOver(lane, job, isBehind).catch((error: Error) => giveUp(lane, error))
      if (outcome === 'elsewhere') {
        // fewer lanes than we thought: those that work take it
        waiting.unshift(job, ...takeBehind(lane))
        break
      }
      job.done(outcome)
      if (outcome.is === 'throttled' || outcome.is === 'transport-fault') handBackAll(lane, outcome)
    }
    busy -= 1
    lines.rest(lane.line)
    employ()
  }

  /** What waits is not tried either; it comes before the mail that was refused. */
  function handBackAll(lane: Lane, outcome: Outcome & { is: 'throttled' | 'transport-fault' }) {
    lastWords = outcome.reply
    const isBehind = lane.behind !== undefined
    for (const { done } of [...takeBehind(lane), ...waiting.splice(0)]) done({ ...outcome, wait: 1 })
    // its envelope is under way
    if (isBehind) void lane.line?.conversation.quit()
  }

  function takeBehind(lane: Lane): Job[] {
    const jobs = lane.behind ? [lane.behind] : []
    lane.behind = undefined
    return jobs
  }

  /**
   * Not while the server takes its time, for a pause or a cancellation is to act at once; nor behind the last mail of a
   * connection; and a server that drops what comes behind a mail is not troubled with it again.
   */
  const mayGoBehind = () => isQuick && misses < 3 && limits.isCalm()

  function following(lane: Lane) {
    if (!lane.behind && lane.line && !lane.line.isUsedUp && mayGoBehind()) lane.behind = waiting.shift()
    return lane.behind?.mail
  }

  async function sendOver(lane: Lane, job: Job, isBehind: boolean): Promise<Outcome | 'elsewhere'> {
    for (;;) {
      const line = await lineFor(lane)
      if (line === 'again') continue
      if (line === 'elsewhere' || 'is' in line) return line
      const { conversation } = line
      const isUsed = conversation.tried > 0
      const isHere = isBehind && line === lane.line
      const isAhead = lane.behind !== undefined
      lane.line = line
      const begin = Date.now()
      const outcome = await conversation.send(job.mail, isAhead ? undefined : () => following(lane))
      isQuick = Date.now() - begin < quick
      const isEarly = !conversation.isOpen && isLostEarly(outcome)
      if (isHere) misses = isEarly ? misses + 1 : 0
      // a server may close a connection while it rests; that says nothing about the server or the recipient
      if (isEarly && isUsed) continue
      if (outcome.is === 'sent') lines.noteSent(job)
      const meant = lines.read(line, job, outcome, isUsed)
      if (meant !== 'again') return meant
    }
  }

  async function lineFor(lane: Lane) {
    if (lane.line?.isFit) return lane.line
    lines.rest(lane.line)
    return lines.take() ?? lines.open()
  }

  /** A mail that cannot be made, halfway through: its sender is told, and the connection is not used again. */
  function giveUp(lane: Lane, { message }: Error): Outcome {
    void lane.line?.conversation.quit()
    lane.line = undefined
    return { is: 'unmade', reply: readable(Buffer.from(message).toString('latin1')) }
  }

  async function connect(onClose: () => void) {
    const { socket, offers } = await signIn(settings, patience, options.ca, token)
    return converse(socket, offers, patience, onClose)
  }

  return {
    get lanes() {
      return limits.lanes
    },
    get behind() {
      return mayGoBehind() ? limits.lanes : 0
    },
    get peer() {
      return { ...peer, open: lines.count }
    },
    obey: known => limits.obey(known),
    send,
    verify: async () => {
      const result = await lines.open()
      if (typeof result === 'string') return undefined
      if ('is' in result) return result.reply
      void result.conversation.quit()
      return undefined
    },
    close: async () => {
      clearInterval(sweeper)
      lines.close()
    }
  }
}

/** Lost before the server had answered anything about this message. */
const isLostEarly = (outcome: Outcome) => outcome.is === 'transport-fault' || outcome.is === 'not-sent'

/** Exactly one address that cannot be read as anything else on a RCPT line. The full rules stand where it is taken in. */
function isOneAddress(address: string): boolean {
  return (
    address.length <= 254 && /^[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/iu.test(address)
  )
}
