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
/** A database or a transaction. */
export type Db = PostgresJsDatabase | PostgresJsTransaction<EmptyRelations>

export interface ConnectOptions {
  database?: string
  connections?: number
  /** Statement timeout; 0: none. */
  statementSeconds?: number
  session?: Session
  /** Called when the server grants no more connections; open ones keep working. */
  onRefused?: (reason: Error, granted: number) => void
}

export interface Session {
  settings: Readonly<Record<string, string>>
  /** Behind a pooler in transaction mode, settings, prepared statements and pipelines don't last. */
  isPooled: boolean
}

interface State {
  max: number
  sockets: Sockets
  options: object
}

const states = new WeakMap<Database, State>()

export function connect(url: string, options: ConnectOptions = {}): Database {
  const { statementSeconds = 120, connections = 10, session, onRefused } = options
  const address = { ...readDatabaseUrl(url), ...(options.database ? { database: options.database } : {}) }
  const login = loginOf(session?.isPooled ? { ...address, prepare: false, maxPipeline: 0 } : address)
  // longer than the server's own statement timeout: this one is for a server that no longer answers
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
  onclose: () => void
}

/** One connection outside the pool, kept as long as the server keeps it. */
export function openListener(db: Database, notices: Notices): postgres.Sql {
  const kept = { max: 1, idle_timeout: null, max_lifetime: null, fetch_types: false }
  const state = states.get(db)
  if (!state) throw new Error('No pool was opened for this database')
  return openDriver({ ...state.options, ...kept, ...notices })
}

export function connectionsOf(db: Database): { open: number; max: number } {
  const state = states.get(db)
  return { open: state?.sockets.count() ?? 0, max: state?.max ?? 0 }
}

const timeoutMs = 10_000

/** Runs `act` in a transaction. @throws when no connection is free for 10 s (nothing was done), or what it throws. */
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

/** Runs `act` in a savepoint: if it fails, its changes are undone and the transaction continues. */
export function attempt<T>(tx: Db, act: (inner: Db) => Promise<T>): Promise<T> {
  return tx.transaction(inner => act(inner))
}

/** @throws an error that `isDatabaseAway` knows after `milliseconds`; the work continues, its result unused. */
export function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`The database did not answer for ${milliseconds} ms`)
    timer = setTimeout(reject, milliseconds, Object.assign(error, { code: 'DATABASE_DEADLINE' }))
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
