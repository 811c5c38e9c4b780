/** What Rollcall needs of a PostgreSQL server, checked before use, with the statement that fixes each problem. */
import { getTableName, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { first } from '../lib/ends.ts'
import type { Session } from './client.ts'
import { isMeaning, sessionSettings } from './connection/session-settings.ts'
import { bool, claim, int, mapOf, orNull, type RowOf, record, text } from './rows.ts'
import * as schema from './schema.ts'

const factColumns = {
  version: int,
  database: text,
  role: text,
  encoding: text,
  isStandby: bool,
  /** Whether `lower` knows letters beyond ASCII; searches ignore case by it. */
  foldsLetters: bool,
  tablesIn: orNull(text),
  wantedSchema: orNull(text),
  trigramsIn: orNull(text),
  canHaveTrigrams: bool,
  mayCreateInDatabase: bool,
  hasMigrationsSchema: bool,
  mayUseMigrationsSchema: bool,
  replicationRole: text,
  /** Connections left for this role, this one included, and the limit that leaves so few. */
  room: record({ role: orNull(int), database: orNull(int), server: int }),
  settings: mapOf(text)
}

export type ServerFacts = RowOf<typeof factColumns>

/** One statement, which even a role without rights may run. */
export async function readFacts(sql: postgres.Sql): Promise<ServerFacts> {
  const names = Object.keys(sessionSettings).map(name => name.toLowerCase())
  const rows: object[] = await sql`
    select current_setting('server_version_num')::int as version, current_database() as database, current_user as role,
      pg_encoding_to_char(d.encoding) as encoding, pg_is_in_recovery() as "isStandby",
      lower(chr(201)) = chr(233) as "foldsLetters",
      (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relname in ('people', 'deliveries', 'batch_chunks') and c.relkind = 'r'
        group by n.nspname having count(*) = 3 order by n.nspname <> 'public', n.nspname limit 1) as "tablesIn",
      (select current_schema() from pg_settings where name = 'search_path' and source = 'client') as "wantedSchema",
      (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pg_trgm')
        as "trigramsIn",
      exists (select from pg_available_extensions where name = 'pg_trgm') as "canHaveTrigrams",
      has_database_privilege(d.oid, 'create') as "mayCreateInDatabase",
      to_regnamespace('drizzle') is not null as "hasMigrationsSchema",
      coalesce(has_schema_privilege(to_regnamespace('drizzle')::oid, 'usage'), false) and not exists (
        select from pg_class c where c.relnamespace = to_regnamespace('drizzle')::oid and c.relname = '__drizzle_migrations'
          and not has_table_privilege(c.oid, 'select')) as "mayUseMigrationsSchema",
      current_setting('session_replication_role') as "replicationRole",
      json_build_object(
        'role', (select case when r.rolconnlimit >= 0 and not r.rolsuper then r.rolconnlimit + 1 -
          (select count(*) from pg_stat_activity where usename = session_user) end
          from pg_roles r where r.rolname = session_user),
        'database', (case when d.datconnlimit >= 0 and not current_setting('is_superuser')::boolean then d.datconnlimit + 1 -
          (select count(*) from pg_stat_activity where datname = d.datname) end),
        'server', current_setting('max_connections')::int + 1 - current_setting('superuser_reserved_connections')::int -
          coalesce(current_setting('reserved_connections', true)::int, 0) -
          (select count(*) from pg_stat_activity where backend_type = 'client backend')) as room,
      (select json_object_agg(lower(name), setting) from pg_settings where lower(name) = any(${names})) as settings
    from pg_database d where d.datname = current_database()`
  claim(factColumns, rows)
  return first(rows)
}

export function problemsOf(facts: ServerFacts, place: SchemaFacts, pending: number): string[] {
  const { version, database, role, encoding } = facts
  const [db, user] = [quoted(database), quoted(role)]
  const problems: string[] = []
  if (version < 140_000) problems.push(`PostgreSQL 14 or later is needed, found ${Math.floor(version / 10_000)}`)
  if (encoding !== 'UTF8')
    problems.push(
      `the database ${db} is in ${encoding}, which lacks letters that people have; make one in UTF8 with: create database ${quoted(`${database}_utf8`)} owner ${user} encoding 'UTF8' template template0 lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'`
    )
  if (facts.isStandby)
    problems.push(
      'this server is a read-only standby: name the primary, or all servers like postgres://user:password@one:5432,two:5432/database?target_session_attrs=read-write'
    )
  if (facts.replicationRole !== 'origin')
    problems.push(
      `triggers are off for the role ${user}, and counts would be wrong; run: alter role ${user} in database ${db} reset session_replication_role; alter role ${user} reset session_replication_role; alter database ${db} reset session_replication_role`
    )
  if (!facts.isStandby) problems.push(...missingRights(facts, place, pending))
  return problems
}

const schemaColumns = {
  name: text,
  exists: bool,
  mayCreate: bool,
  mayUse: bool,
  closedTables: int,
  closedSequences: int
}
export type SchemaFacts = RowOf<typeof schemaColumns>

/** Rollcall only adds to `events` and needs no right to update it. */
const ownTables = Object.values(schema)
  .filter(each => is(each, PgTable))
  .map(getTableName)

/** Ids that statements take before they insert. */
const ownSequences = ['people_id_seq', 'invitations_id_seq', 'deliveries_id_seq']

export async function readSchema(sql: postgres.Sql, name: string): Promise<SchemaFacts> {
  const rows: object[] = await sql`
    with schema as (select oid from pg_namespace where nspname = ${name}),
      own as (select c.oid, c.relname from pg_class c join schema s on s.oid = c.relnamespace
        where c.relkind = 'r' and c.relname = any(${ownTables}))
    select ${name} as name, exists (select from schema) as exists,
      coalesce((select has_schema_privilege(oid, 'create') from schema), false) as "mayCreate",
      coalesce((select has_schema_privilege(oid, 'usage') from schema), false) as "mayUse",
      (select count(*) from own where not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
        and (has_table_privilege(oid, 'update') or relname = 'events'))) as "closedTables",
      (select count(*) from pg_class c join schema s on s.oid = c.relnamespace
        where c.relkind = 'S' and c.relname = any(${ownSequences}) and not has_sequence_privilege(c.oid, 'usage')) as "closedSequences"`
  claim(schemaColumns, rows)
  return first(rows)
}

function missingRights(facts: ServerFacts, place: SchemaFacts, pending: number): string[] {
  const [user, name] = [quoted(facts.role), quoted(place.name)]
  const problems: string[] = []
  const lack = (what: string, statement: string) =>
    problems.push(`the role ${user} ${what}; run as an administrator: ${statement}`)
  if (!place.exists) lack(`finds no schema ${name}`, `create schema ${name} authorization ${user}`)
  else if (!place.mayUse) lack(`may not use the schema ${name}`, `grant usage on schema ${name} to ${user}`)
  if (facts.tablesIn && place.closedTables > 0)
    lack(
      `may not read and write ${place.closedTables} tables`,
      `grant select, insert, update, delete on all tables in schema ${name} to ${user}`
    )
  if (facts.tablesIn && place.closedSequences > 0)
    lack('may not take new ids', `grant usage on all sequences in schema ${name} to ${user}`)
  if (facts.hasMigrationsSchema && !facts.mayUseMigrationsSchema)
    lack(
      'may not see which migrations were applied',
      `grant usage on schema drizzle to ${user}; grant select on all tables in schema drizzle to ${user}`
    )
  if (pending === 0) return problems
  if (place.exists && !place.mayCreate)
    lack(
      `may not create tables (${pending} migrations are pending)`,
      `grant create, usage on schema ${name} to ${user}`
    )
  if (!facts.hasMigrationsSchema && !facts.mayCreateInDatabase)
    lack('may not create the schema drizzle', `create schema drizzle authorization ${user}`)
  if (facts.trigramsIn === null && !facts.canHaveTrigrams)
    problems.push(
      'the server lacks the extension pg_trgm: install its contrib package (postgresql-contrib), then run: create extension pg_trgm'
    )
  else if (facts.trigramsIn === null && !(facts.mayCreateInDatabase && place.mayCreate))
    lack('may not create the extension pg_trgm', `create extension pg_trgm schema ${name}`)
  return problems
}

/** How sessions are set up there. Settings that were sent but are not in force reveal a pooler. */
export function sessionFor(facts: ServerFacts, schema: string, isRefused: boolean): Session {
  const elsewhere = facts.trigramsIn !== null && facts.trigramsIn !== schema ? `, ${quoted(facts.trigramsIn)}` : ''
  return {
    settings: {
      search_path: `${quoted(schema)}${elsewhere}`,
      ...(facts.version >= 170_000 ? { transaction_timeout: '0' } : {}),
      ...(facts.version >= 160_000 ? { debug_parallel_query: 'off' } : { force_parallel_mode: 'off' })
    },
    isPooled: isRefused || notInForce(facts).length > 0
  }
}

export function notInForce({ settings }: ServerFacts): string[] {
  const isEqual = (found: string, wanted: string) => {
    const [one, other] = [found, wanted].map(text => text.toLowerCase().replace(/\s/g, ''))
    return one === other || Number(one) === Number(other)
  }
  // the server reports sizes in other units
  const compared = Object.entries(sessionSettings).filter(([, value]) => !/[MG]B$/.test(value))
  return compared
    .filter(([name, value]) => !isEqual(settings[name.toLowerCase()] ?? value, value))
    .map(([name]) => name)
}

/** The statement that sets for the role what a pooler does not pass on. */
export function roleSettings({ role, database }: ServerFacts, names: readonly string[]): string {
  const statements = names.map(
    name => `alter role ${quoted(role)} in database ${quoted(database)} set ${name} = '${sessionSettings[name]}'`
  )
  return `${statements.join('; ')}; then have the pooler open new connections (RECONNECT in PgBouncer's console)`
}

export const changesMeaning = (names: readonly string[]): boolean => names.some(isMeaning)

export const quoted = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
