/** An address in the driver's words. Every option is named: what is not, the driver takes from PG… in the environment. */
import postgres from 'postgres'
import { first } from '../../lib/ends.ts'
import type { DatabaseAddress } from './database-url.ts'

/** The mark that patches/postgres+3.4.9.patch leaves in the driver. Decision 5 says what the patch mends. */
const patch = 'rollcall-1'

/**
 * Opens the driver with these options, of which its types lack half.
 *
 * @throws when the installed driver is not the patched one: it would end the process when a server goes away.
 */
export function openDriver(options: object): postgres.Sql {
  requirePatch(postgres)
  return postgres(options as postgres.Options<never>)
}

/** @throws unless `driver` carries the mark of the patch. */
export function requirePatch(driver: object): void {
  if ('patch' in driver && driver.patch === patch) return
  throw new Error(
    'The installed database driver lacks the fixes in patches/. Run "npm ci" without --ignore-scripts: its postinstall script applies them.'
  )
}

export function loginOf({ hosts, user, password, database, options, ...address }: DatabaseAddress) {
  const { name, port } = first(hosts)
  return {
    host: [name],
    port: [port],
    user,
    database,
    ...(name.startsWith('/') ? { path: `${name}/.s.PGSQL.${port}` } : {}),
    // a function keeps the driver from PGPASSWORD
    pass: () => password,
    ssl: false,
    sslnegotiation: null,
    debug: false,
    publications: '',
    fetch_types: true,
    prepare: address.prepare,
    max_pipeline: address.maxPipeline,
    keep_alive: 60,
    connect_timeout: address.connectSeconds,
    max_lifetime: 60 * (30 + Math.random() * 30),
    idle_timeout: 300,
    onnotice: () => {},
    connection: { application_name: address.applicationName, ...(options ? { options } : {}) }
  }
}
