/** An address in the driver's words. Every option is named: what is not, the driver takes from PG… in the environment. */
import postgres from 'postgres'
import type { DatabaseAddress } from './database-url.ts'

/** The driver's types lack half of its options. */
export const openDriver = (options: object): postgres.Sql => postgres(options as postgres.Options<never>)

export function loginOf({ hosts, user, password, database, options, ...address }: DatabaseAddress) {
  const { name, port } = hosts[0]!
  return {
    ...{ host: [name], port: [port], user, database },
    ...(name.startsWith('/') ? { path: `${name}/.s.PGSQL.${port}` } : {}),
    // a function keeps the driver from PGPASSWORD
    pass: () => password,
    ...{ ssl: false, sslnegotiation: null, debug: false, publications: '', fetch_types: true },
    ...{ prepare: address.prepare, max_pipeline: address.maxPipeline, keep_alive: 60 },
    ...{ connect_timeout: address.connectSeconds, max_lifetime: 60 * (30 + Math.random() * 30), idle_timeout: 300 },
    onnotice: () => {},
    connection: { application_name: address.applicationName, ...(options ? { options } : {}) }
  }
}
