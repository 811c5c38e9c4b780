/** A mail that we owe somebody: what is claimed, what is sent, how the server answered and what follows from it. */
import type { Db } from '../db/client.ts'

/** A delivery that this worker holds until its lease runs out. */
export interface Claimed {
  id: number
  kind: string
  personId: number
  invitationId: number | null
  batchId: number | null
  /** The envelope's only recipient. */
  address: string
  priority: number
  /** Which attempt this is, from 1; with the id it tells this lease from a later one. */
  attempt: number
  mayHaveArrived: boolean
  messageId: string
}

export interface Mail {
  deliveryId: number
  /** Envelope sender and the one recipient. */
  from: string
  to: string
  /** Makes the message as it goes over the wire: CRLF, no line over 998 bytes. Asked for when it leaves. */
  bytes: () => Buffer
}

export type Composed =
  | { is: 'mail'; mail: Mail /** ISO time after which it is not worth sending. */; until: string | null }
  | { is: 'dropped'; state: 'cancelled' | 'suppressed'; reason: string }
  /** Somebody else is changing what it is made of: take it up again in a moment. */
  | { is: 'busy' }
  | { is: 'unmade'; reason: string }

/** Makes the mails of one kind, in the transaction of the lease; answers for every delivery that it was given. */
export type Composer = (tx: Db, claimed: Claimed[]) => Promise<Map<number, Composed>>

/** From the narrowest to the widest. */
export type About = 'mail' | 'connection' | 'at-once' | 'pace' | 'everything'

export interface Ask {
  about: About
  /** Seconds that the server asks us to wait. */
  wait?: number
  /** A number that it names: connections, mails on one connection, or mails a `unit`. */
  limit?: number
  /** What a pace is counted over, where the words tell. */
  unit?: Unit
  /** Of a connection: the server does not say that it has had enough of it, only that it closes it. */
  isVague?: boolean
}

export type Unit = 'second' | 'minute' | 'hour' | 'day'

/** How one attempt ended, with the server's words. mail.md §2. */
export type Outcome =
  | { is: 'sent'; reply: string }
  /** No mail server is configured: it lies in the outbox, and nobody was sent anything. */
  | { is: 'kept'; reply: string }
  | { is: 'recipient-failed'; reply: string; suppress: boolean }
  /** `wait`: seconds that the server named. */
  | { is: 'deferred'; reply: string; wait?: number }
  /** A limit of the server's that is no fault of this mail's. `wait`: seconds, so that another mail goes first after it. */
  | { is: 'throttled'; reply: string; ask: Ask; wait?: number }
  /** Refused with the words of a limit that no other mail meets: it waits by itself, and no attempt is counted. */
  | { is: 'set-aside'; reply: string; wait: number }
  | { is: 'policy'; reply: string }
  /**
   * `isCrowded`: no connection came about; where other workers have some, the server may only want no more of them.
   * `isOfMail`: said of one recipient or text. `wait`: seconds, so that another mail probes first.
   */
  | { is: 'transport-fault'; reply: string; isCrowded?: boolean; isOfMail?: boolean; wait?: number }
  /** The connection was lost before the message's text began: it surely did not arrive. */
  | { is: 'not-sent'; reply: string }
  /** The answer to a message that went out was lost: it may or may not have arrived. */
  | { is: 'unknown'; reply: string }
  /** We could not make the message: nobody was asked to take it. */
  | { is: 'unmade'; reply: string }

/** The way out: one message, one recipient at a time. */
export interface MailTransport {
  /** How many may be on their way at once, at the moment: as many as the server allows. */
  readonly lanes: number
  /** Whose limits are learned, and by which of several workers. */
  readonly peer?: Peer
  /** From now on within these limits. */
  obey?(limits: Limits): void
  /** How many more may wait in it, each to go right behind one that is on its way. */
  readonly behind?: number
  /** Never rejects. Refuses a recipient that is not one plain address. */
  send(mail: Mail): Promise<Outcome>
  /** Connects and signs in, sends nothing. Undefined when that works, else why not. */
  verify(): Promise<string | undefined>
  close(): Promise<void>
}

export interface Peer {
  /** `host:port`. */
  readonly server: string
  readonly worker: string
  /** Connections that are open at the moment. */
  readonly open: number
  /** What the server asked for; taken away by what notes it. */
  readonly asked: Asked[]
}

/** What a mail server allows one worker; null: no limit is known. */
export interface Limits {
  connections: number | null
  mailsPerConnection: number | null
  perMinute: number | null
  /** Seconds that nothing may be sent. */
  rest: number
}

export const noLimits: Limits = { connections: null, mailsPerConnection: null, perMinute: null, rest: 0 }

/** What a server asked for, in figures: what it names, else what was seen to work. */
export type Asked =
  | { about: 'at-once'; connections: number; reply: string }
  | { about: 'connection'; mails: number; reply: string }
  | {
      about: 'pace' /** null: it names none, and none was seen. */
      perMinute: number | null
      wait: number
      reply: string
    }

export interface Log {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

export type SettledState = 'queued' | 'sent' | 'deferred' | 'failed' | 'unknown' | 'suppressed' | 'cancelled'

/** What is written about a delivery when its attempt is over. */
export interface Settlement {
  delivery: Claimed
  state: SettledState
  reply: string | null
  /** Seconds until the next attempt, for `queued` and `deferred`. */
  wait: number
  /** Not the recipient's fault: the attempt is taken back. */
  isUncounted: boolean
  /** With `sent`: in the outbox, not handed to a mail server. */
  isKept: boolean
  mayHaveArrived: boolean
  /** The address does not exist: no more mail to it. */
  suppress: boolean
  until: string | null
}
