/** The one way to the database: drizzle on postgres.js. */
import { sql } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import type { EmptyRelations } from 'drizzle-orm/relations'
import postgres from 'postgres'

export type Database = PostgresJsDatabase & { $client: postgres.Sql }
/** A database or a transaction: the first argument of every statement. */
export type Db = PostgresJsDatabase | PostgresJsTransaction<EmptyRelations>

export interface ConnectOptions {
  /** Another database on the same server. */
  database?: string
  /** Connections at the most. */
  connections?: number
}

/** A pool on a `postgres://` URL; a unix socket's folder stands in its `host` parameter. */
export function connect(url: string, options: ConnectOptions = {}): Database {
  const { address, host } = splitUrl(url)
  const client = postgres(address, {
    max: options.connections ?? 10,
    onnotice: () => {},
    connect_timeout: 10,
    idle_timeout: 300,
    // the driver's own pauses grow to 20 s, for which the database would be back already
    backoff: (tries: number) => Math.min(0.02 * 2 ** tries, 1) * (0.5 + Math.random() / 2),
    ...(host ? { host } : {}),
    ...(options.database ? { database: options.database } : {}),
    connection: { application_name: 'rollcall', statement_timeout: 120_000 }
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

/** Runs `act` in a transaction. */
export function transaction<T>(db: Database, act: (tx: Db) => Promise<T>): Promise<T> {
  return db.transaction(tx => act(tx))
}

/** Runs `act` inside of a transaction: when it fails, nothing of it stays, and the transaction goes on. */
export function attempt<T>(tx: Db, act: (inner: Db) => Promise<T>): Promise<T> {
  return tx.transaction(inner => act(inner))
}

/** Is the database there and answering within `milliseconds`? */
export async function isAnswering(db: Database, milliseconds: number): Promise<boolean> {
  return await inTime(db.execute(sql`select 1`), milliseconds).then(
    () => true,
    () => false
  )
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
