import type { Db } from '../db/client.ts'

export interface Claimed {
  id: number
  kind: string
  personId: number
  invitationId: number | null
  batchId: number | null
  address: string
  priority: number
  /** Counted from 1; with the id it distinguishes this lease from a later one. */
  attempt: number
  mayHaveArrived: boolean
  messageId: string
}

export interface Mail {
  deliveryId: number
  from: string
  to: string
  /** Makes the message when it is sent: CRLF, no line over 998 bytes. */
  bytes: () => Buffer
}

export type Composed =
  /** `until`: ISO time after which it is not worth sending. */
  | { is: 'mail'; mail: Mail; until: string | null }
  | { is: 'dropped'; state: 'cancelled' | 'suppressed'; reason: string }
  /** Another transaction is changing what it is made of: try again in a moment. */
  | { is: 'busy' }
  | { is: 'not-composed'; reason: string }

/** Composes emails of one kind, in the transaction of the lease; answers for every delivery. */
export type Composer = (tx: Db, claimed: Claimed[]) => Promise<Map<number, Composed>>

/** What a refusal is about, from the narrowest to the widest. */
export type About = 'mail' | 'connection' | 'at-once' | 'pace' | 'everything'

export interface Ask {
  about: About
  wait?: number
  /** The number in its reply: connections, emails on one connection, or emails per `unit`. */
  limit?: number
  unit?: Unit
  /** The server closes the connection without saying that a limit was met. */
  isVague?: boolean
}

export type Unit = 'second' | 'minute' | 'hour' | 'day'

export type Outcome =
  | { is: 'sent'; reply: string }
  /** No mail server is configured: it is in the outbox, and nothing was sent. */
  | { is: 'kept'; reply: string }
  | { is: 'recipient-failed'; reply: string; suppress: boolean }
  | { is: 'deferred'; reply: string; wait?: number }
  /** A server limit, not this email's fault. `wait`: seconds, so that another email is tried first. */
  | { is: 'throttled'; reply: string; ask: Ask; wait?: number }
  /** Refused as if by a limit, but other emails are not: it waits alone, and the attempt does not count. */
  | { is: 'set-aside'; reply: string; wait: number }
  | { is: 'policy'; reply: string }
  /** `isCrowded`: other workers may have all connections. `isOfMail`: about one email. `wait`: others probe first. */
  | { is: 'transport-fault'; reply: string; isCrowded?: boolean; isOfMail?: boolean; wait?: number }
  /** The connection was lost before the text was sent: it did not arrive. */
  | { is: 'not-sent'; reply: string }
  /** The text was sent and the reply was lost: it may have arrived. */
  | { is: 'unknown'; reply: string }
  | { is: 'not-composed'; reply: string }

export interface MailTransport {
  readonly concurrency: number
  readonly peer?: Peer
  applyLimits?(limits: Limits): void
  /** How many more it takes, each to be pipelined behind one in flight. */
  readonly pipelined?: number
  /** Never rejects. Refuses a recipient that is not one plain address. */
  send(mail: Mail): Promise<Outcome>
  /** Connects and signs in without sending. Undefined when that works, otherwise why not. */
  verify(): Promise<string | undefined>
  close(): Promise<void>
}

export interface Peer {
  /** `host:port`. */
  readonly server: string
  readonly worker: string
  readonly open: number
  /** Limits to be written; removed by their writer. */
  readonly learned: LearnedLimit[]
}

export interface Limits {
  connections: number | null
  mailsPerConnection: number | null
  perMinute: number | null
  rest: number
}

export const noLimits: Limits = { connections: null, mailsPerConnection: null, perMinute: null, rest: 0 }

export type LearnedLimit =
  | { about: 'at-once'; connections: number; reply: string }
  | { about: 'connection'; mails: number; reply: string }
  /** `perMinute` is null when the server names none and none was seen. */
  | { about: 'pace'; perMinute: number | null; wait: number; reply: string }

export interface Log {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

export type SettledState = 'queued' | 'sent' | 'deferred' | 'failed' | 'unknown' | 'suppressed' | 'cancelled'

export interface Settlement {
  delivery: Claimed
  state: SettledState
  reply: string | null
  wait: number
  /** Not the recipient's fault: the attempt does not count. */
  isUncounted: boolean
  isKept: boolean
  mayHaveArrived: boolean
  /** The address does not exist: it gets no more mail. */
  suppress: boolean
  until: string | null
}
