import type { Database } from '../../db/client.ts'
import type { Composer, Log, MailTransport } from '../delivery.ts'

export interface DeliverDeps {
  db: Database
  log: Log
  transport: MailTransport
  composers: Record<string, Composer>
  mailHost: string
  /** Ends the run: emails that were not sent are released, those in flight are awaited. */
  signal?: AbortSignal
  /** After a crash, another worker sends the email that much later. */
  leaseSeconds?: number
}

/** Shorter than the rest of a lease when its renewal is due. */
export const databaseTimeoutMs = 10_000
