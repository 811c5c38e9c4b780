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

/** Is the database there and answering within `milliseconds`? */
export async function isAnswering(db: Database, milliseconds: number): Promise<boolean> {
  const answer = db.execute(sql`select 1`).then(
    () => true,
    () => false
  )
  return await Promise.race([answer, new Promise<boolean>(resolve => setTimeout(resolve, milliseconds, false).unref())])
}
