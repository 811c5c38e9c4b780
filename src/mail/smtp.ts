/** The mail server as a transport: some connections, each with one mail after the other. */
import type { SmtpSettings } from '../config.ts'
import type { Mail, MailTransport, Outcome } from './delivery.ts'
import { type Conversation, converse, type Patience } from './wire/conversation.ts'
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

/** A mail that somebody waits for. */
interface Job {
  mail: Mail
  done: (outcome: Outcome) => void
}

interface Lane {
  conversation: Conversation | undefined
}

const openOf = ({ conversation }: Lane) => (conversation?.isOpen ? conversation : undefined)

/** A transport over at most `settings.connections` connections, opened when needed, kept while used. */
export function smtpTransport(settings: SmtpSettings, options: SmtpOptions = {}): MailTransport {
  const patience = { ...usualPatience, ...options.patience }
  const quick = options.quick ?? 250
  const idle: { conversation: Conversation; since: number }[] = []
  const open = new Set<Conversation>()
  const pace = paceOf(settings.connections)
  const waiting: Job[] = []
  let busy = 0
  let misses = 0
  let isQuick = false
  const sweeper = setInterval(closeUnused, 5_000).unref()

  function send(mail: Mail): Promise<Outcome> {
    if (!isOneAddress(mail.to))
      return Promise.resolve({
        is: 'recipient-failed',
        reply: 'Not one plain address: nothing was sent',
        suppress: false
      })
    return new Promise(done => {
      waiting.push({ mail, done })
      if (busy < pace.lanes()) void work()
    })
  }

  /** One lane: a mail after the other, while some wait. */
  async function work() {
    busy += 1
    const lane: Lane = { conversation: undefined }
    let behind: Job | undefined
    const following = () => {
      behind = mayGoBehind() ? waiting.shift() : undefined
      return behind?.mail
    }
    for (let job = waiting.shift(); job; job = behind ?? (busy <= pace.lanes() ? waiting.shift() : undefined)) {
      const isBehind = job === behind
      behind = undefined
      await pace.turn()
      const outcome = await sendOver(lane, job.mail, following, isBehind).catch((error: Error) => giveUp(lane, error))
      pace.note(outcome)
      job.done(outcome)
    }
    busy -= 1
    if (lane.conversation?.isOpen) idle.push({ conversation: lane.conversation, since: Date.now() })
  }

  /**
   * Not while the server takes its time, for a pause or a cancellation is to act at once; and a server that drops what
   * comes behind a mail is not troubled with it again.
   */
  const mayGoBehind = () => isQuick && misses < 3 && !pace.isSlowed()

  async function sendOver(lane: Lane, mail: Mail, following: () => Mail | undefined, isBehind: boolean) {
    for (;;) {
      const conversation = openOf(lane) ?? takeIdle() ?? (await connectOrOutcome())
      if ('is' in conversation) return conversation
      const isUsed = conversation.tried > 0
      const isHere = isBehind && conversation === lane.conversation
      lane.conversation = conversation
      const begin = Date.now()
      const outcome = await conversation.send(mail, following)
      isQuick = Date.now() - begin < quick
      const isEarly = !conversation.isOpen && isLostEarly(outcome)
      if (isHere) misses = isEarly ? misses + 1 : 0
      // a server may close a connection while it rests; that says nothing about the server or the recipient
      if (!isEarly || !isUsed) return outcome
    }
  }

  /** A mail that cannot be made, halfway through: whoever waits is told, and the line is not used again. */
  function giveUp(lane: Lane, { message }: Error): Outcome {
    lane.conversation?.quit()
    lane.conversation = undefined
    return { is: 'unmade', reply: readable(Buffer.from(message).toString('latin1')) }
  }

  function takeIdle(): Conversation | undefined {
    for (let rested = idle.pop(); rested; rested = idle.pop())
      if (rested.conversation.isOpen) return rested.conversation
    return undefined
  }

  async function connectOrOutcome(): Promise<Conversation | Outcome> {
    try {
      return await connect()
    } catch (error) {
      const reply = readable(error instanceof Error ? Buffer.from(error.message).toString('latin1') : String(error))
      // while others work, one more that is refused only means that there are enough of them
      return { is: open.size > 0 ? 'throttled' : 'transport-fault', reply }
    }
  }

  async function connect(): Promise<Conversation> {
    const { socket, offers } = await signIn(settings, patience, options.ca)
    const conversation = converse(socket, offers, patience, () => open.delete(conversation))
    open.add(conversation)
    return conversation
  }

  function closeUnused() {
    const limit = Date.now() - (options.idle ?? 30_000)
    while (idle[0] && idle[0].since <= limit) idle.shift()!.conversation.quit()
  }

  return {
    get lanes() {
      return pace.lanes()
    },
    get behind() {
      return mayGoBehind() ? pace.lanes() : 0
    },
    send,
    verify: async () => {
      const result = await connectOrOutcome()
      if ('is' in result) return result.reply
      result.quit()
      return undefined
    },
    close: async () => {
      clearInterval(sweeper)
      for (const conversation of open) conversation.quit()
      idle.length = 0
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

/** Fewer lanes when the server asks for patience, one more after a while of success; at one lane, pauses in between. */
function paceOf(most: number) {
  let lanes = most
  let successes = 0
  let pause = 0
  let resumeAt = 0
  return {
    lanes: () => lanes,
    isSlowed: () => lanes < most,
    async turn() {
      for (let left = resumeAt - Date.now(); left > 0; left = resumeAt - Date.now()) {
        await new Promise(resolve => setTimeout(resolve, left))
      }
    },
    note({ is }: Outcome) {
      if (is === 'throttled') {
        pause = lanes > 1 ? 250 : Math.min(Math.max(pause * 2, 500), 15_000)
        lanes = Math.max(1, lanes >> 1)
        resumeAt = Date.now() + pause
        successes = 0
      } else if (is === 'sent') {
        pause = 0
        successes += 1
        if (successes >= lanes * 5 && lanes < most) {
          lanes += 1
          successes = 0
        }
      }
    }
  }
}
