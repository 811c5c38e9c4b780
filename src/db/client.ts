/** The one way to the database: drizzle on postgres.js. */
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import type { EmptyRelations } from 'drizzle-orm/relations'
import postgres from 'postgres'
import { inTransaction } from './faults.ts'
import { watchedSockets } from './socket.ts'

export type Database = PostgresJsDatabase & { $client: postgres.Sql }
/** A database or a transaction: the first argument of every statement. */
export type Db = PostgresJsDatabase | PostgresJsTransaction<EmptyRelations>

export interface ConnectOptions {
  /** Another database on the same server. */
  database?: string
  /** Connections at the most. */
  connections?: number
  /** How long a statement may take; 0: for ever. */
  statementSeconds?: number
}

/** A pool on a `postgres://` URL; a unix socket's folder stands in its `host` parameter. */
export function connect(url: string, options: ConnectOptions = {}): Database {
  const { address, host } = splitUrl(url)
  const { statementSeconds = 120 } = options
  const client = postgres(address, {
    max: options.connections ?? 10,
    onnotice: () => {},
    connect_timeout: 10,
    idle_timeout: 300,
    // the driver's own pauses grow to 20 s, for which the database would be back already
    backoff: (tries: number) => Math.min(0.02 * 2 ** tries, 1) * (0.5 + Math.random() / 2),
    ...(host ? { host } : {}),
    ...(options.database ? { database: options.database } : {}),
    // the server ends a statement first, as long as it lives
    ...(statementSeconds > 0 ? { socket: watchedSockets(statementSeconds * 1000 + 5_000) } : {}),
    connection: {
      application_name: 'rollcall',
      statement_timeout: statementSeconds * 1000,
      // whose machine is gone holds its locks no longer than this
      idle_in_transaction_session_timeout: 60_000
    }
  })
  return drizzle({ client })
}

/** postgres.js would send a `host` parameter on to the server as a setting. */
export function splitUrl(url: string): { address: string; host: string | null } {
  const parsed = new URL(url)
  const host = parsed.searchParams.get('host')
  parsed.searchParams.delete('host')
  return { address: parsed.href, host }
}

/** How long a transaction waits for a connection, in milliseconds. */
const patience = 10_000

/**
 * Runs `act` in a transaction.
 *
 * @throws after ten seconds without a connection that is free, and then nothing has happened; else what `act` throws.
 */
export async function transaction<T>(db: Database, act: (tx: Db) => Promise<T>): Promise<T> {
  const begun = Promise.withResolvers<void>()
  let isLate = false
  const work = db
    .transaction(async tx => {
      if (isLate) throw new Error('Nobody waits for this any more')
      begun.resolve()
      return act(tx)
    })
    .catch(error => {
      throw inTransaction(error)
    })
  work.catch(() => {})
  await inTime(Promise.race([begun.promise, work]), patience).catch(error => {
    isLate = true
    throw error
  })
  return work
}

/** Runs `act` inside of a transaction: when it fails, nothing of it stays, and the transaction goes on. */
export function attempt<T>(tx: Db, act: (inner: Db) => Promise<T>): Promise<T> {
  return tx.transaction(inner => act(inner))
}

/**
 * postgres.js waits without limit for a free connection and for an answer.
 *
 * @throws an error that `isDatabaseAway` knows, after `milliseconds`; the work goes on unheard.
 */
export function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`The database did not answer for ${milliseconds} ms`)
    timer = setTimeout(reject, milliseconds, Object.assign(error, { code: 'DATABASE_DEADLINE' }))
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
