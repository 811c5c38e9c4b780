/** The one way to the database: drizzle on postgres.js. */
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import type { EmptyRelations } from 'drizzle-orm/relations'
import type postgres from 'postgres'
import { chooseHost } from './connection/choose-host.ts'
import { readDatabaseUrl } from './connection/database-url.ts'
import { loginOf, openDriver } from './connection/driver-options.ts'
import { pooledSettings, sessionSettings } from './connection/session-settings.ts'
import { type Sockets, socketsTo } from './connection/socket.ts'
import { inTransaction } from './faults.ts'

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
  /** What start-up found out about the server: see check-server.ts. */
  session?: Session
  /** Told when the server grants no further connection, while those that are open go on. */
  onRefused?: (reason: Error, granted: number) => void
}

/** How sessions on one server have to be set up. */
export interface Session {
  /** Settings beside the usual ones, such as the search path. */
  settings: Readonly<Record<string, string>>
  /** Behind a pooler in transaction mode: settings, prepared statements and pipelines do not last from one to the next. */
  isPooled: boolean
}

interface State {
  max: number
  sockets: Sockets
  options: object
}

const states = new WeakMap<Database, State>()

/** A pool on a DATABASE_URL. */
export function connect(url: string, options: ConnectOptions = {}): Database {
  const { statementSeconds = 120, connections = 10, session, onRefused } = options
  const address = { ...readDatabaseUrl(url), ...(options.database ? { database: options.database } : {}) }
  const login = loginOf(session?.isPooled ? { ...address, prepare: false, maxPipeline: 0 } : address)
  // the server ends a statement first, as long as it lives
  const sockets = socketsTo(address, statementSeconds > 0 ? statementSeconds * 1000 + 5_000 : 0, chooseHost)
  const settings = session?.isPooled
    ? pooledSettings
    : { search_path: 'public', ...sessionSettings, statement_timeout: `${statementSeconds}s`, ...session?.settings }
  const driverOptions = {
    ...login,
    max: connections,
    socket: sockets.open,
    backoff: sockets.backoff,
    connection: { ...login.connection, ...settings },
    onrefused: (reason: Error) => onRefused?.(reason, sockets.count())
  }
  const db = drizzle({ client: openDriver(driverOptions) })
  states.set(db, { max: connections, sockets, options: driverOptions })
  return db
}

export interface Notices {
  onnotify: (channel: string) => void
  /** Its connection has ended, or could not be made. */
  onclose: () => void
}

/** One connection beside the pool that is kept for as long as the server keeps it. */
export function openListener(db: Database, notices: Notices): postgres.Sql {
  const kept = { max: 1, idle_timeout: null, max_lifetime: null, fetch_types: false }
  const state = states.get(db)
  if (!state) throw new Error('No pool was opened for this database')
  return openDriver({ ...state.options, ...kept, ...notices })
}

/** How many connections a pool has at the moment, and how many it would have at the most. */
export function connectionsOf(db: Database): { open: number; max: number } {
  const state = states.get(db)
  return { open: state?.sockets.count() ?? 0, max: state?.max ?? 0 }
}

/** How long a transaction waits for a connection, in milliseconds. */
const timeoutMs = 10_000

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
      if (isLate) throw new Error('The caller has given up on this transaction')
      begun.resolve()
      return act(tx)
    })
    .catch(error => {
      throw inTransaction(error)
    })
  work.catch(() => {})
  await inTime(Promise.race([begun.promise, work]), timeoutMs).catch(error => {
    isLate = true
    throw error
  })
  return work
}

/** Runs `act` in a savepoint: when it fails, its changes are undone and the transaction continues. */
export function attempt<T>(tx: Db, act: (inner: Db) => Promise<T>): Promise<T> {
  return tx.transaction(inner => act(inner))
}

/**
 * postgres.js waits without limit for a free connection and for an answer.
 *
 * @throws an error that `isDatabaseAway` knows, after `milliseconds`; the work continues, its result unused.
 */
export function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`The database did not answer for ${milliseconds} ms`)
    timer = setTimeout(reject, milliseconds, Object.assign(error, { code: 'DATABASE_DEADLINE' }))
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
