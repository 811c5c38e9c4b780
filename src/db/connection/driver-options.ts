/** Names every option: for what is missing the driver would read PG… from the environment. */
import postgres from 'postgres'
import { first } from '../../lib/ends.ts'
import type { DatabaseAddress } from './database-url.ts'

/** The mark that patches/postgres+3.4.9.patch leaves in the driver; decision 5 says what it fixes. */
const patch = 'rollcall-1'

/** No id or count is above 2^53, so all numbers of SQL are numbers here; its snake_case is our camelCase. */
const results = {
  types: { bigint: { to: 20, from: [20, 1700], parse: Number, serialize: String } },
  transform: { column: { from: postgres.toCamel } }
}

/** Opens the driver. @throws when it lacks our patch: it would end the process when a server goes away. */
export function openDriver(options: object): postgres.Sql {
  requirePatch(postgres)
  return postgres({ ...results, ...options })
}

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
    // a function keeps the driver from reading PGPASSWORD
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
