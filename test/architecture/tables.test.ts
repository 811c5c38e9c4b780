import fs from 'node:fs'
import path from 'node:path'
import { getTableName, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import * as schema from '../../src/db/schema.ts'

const root = path.join(import.meta.dirname, '../..')
const sources = fs
  .readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => path.join('src', name))

/** Which folder of src/ writes which tables. Every feature may read every table. */
const owners: Record<string, string[]> = {
  audit: ['events'],
  mail: ['deliveries', 'suppressions', 'mail_transport', 'mail_servers', 'mail_workers', 'mail_origin'],
  people: ['people', 'people_counts', 'people_days'],
  organization: ['settings', 'domains'],
  sessions: ['sessions', 'sign_in_failures', 'sign_in_settings'],
  'sign-in': ['account_links'],
  'second-factor': ['totp_secrets', 'recovery_codes', 'passkeys', 'passkey_challenges'],
  oidc: ['oidc_providers', 'oidc_attempts', 'provider_accounts', 'logout_tokens'],
  directory: ['directory_settings'],
  teams: ['teams', 'memberships', 'batch_teams', 'team_members', 'team_counts'],
  invitations: ['invitations', 'former_links'],
  batches: ['batches', 'batch_chunks', 'recipients', 'batch_samples'],
  sync: ['directory_groups', 'sync_runs', 'sync_changes', 'left_out', 'staging', 'planned'],
  groups: ['selections', 'selection_people']
}

/** Writes to another feature's tables that stay, each with its reason. */
const exceptions: Record<string, Record<string, string>> = {
  'src/invitations/invite-store.ts': {
    people: 'one statement invites thousands: it adds people and copies their newest invitation',
    deliveries: 'the same statement queues their emails'
  },
  'src/mail/copies-store.ts': {
    people: 'a copy of the newest email’s state, in the statement that writes the email',
    batches: 'counts of emails by state, in the statement that changes them; what no server accepts is stopped'
  },
  'src/sync/steps/apply-store.ts': {
    people: 'one statement writes what a run read of 100,000 people and lists what changed',
    memberships: 'one statement adds or ends them and lists it in the run'
  },
  'src/sync/steps/moves-store.ts': {
    people: 'addresses swap in one statement, so that no two people have one at any moment'
  }
}

const tables = Object.entries(schema).flatMap(([name, value]) =>
  is(value, PgTable) ? [{ name, table: getTableName(value) }] : []
)
const tableOf = new Map(tables.flatMap(({ name, table }) => [[name, table] as const, [table, table] as const]))
const ownerOf = new Map(
  Object.entries(owners).flatMap(([folder, owned]) => owned.map(table => [table, folder] as const))
)

const comment = /\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*/g
/** A lock is not a write, and `do update` belongs to an insert. */
const sqlWrite =
  /(?<!\b(?:for|no\s+key|do)\s+)\b(?:insert\s+into|update(?:\s+only)?|delete\s+from|merge\s+into|truncate(?:\s+table)?|copy)\s+(?:\$\{\s*(\w+)\s*\}|"?(\w+)"?)/gi
const builderWrite = /(\w+)?\s*\.(?:insert|update|delete)\(\s*(\w+)\s*\)/g

/** The tables that a source file writes, through drizzle's builder or in SQL text. */
function writtenBy(source: string): string[] {
  const text = source.replace(comment, '')
  const bySql = [...text.matchAll(sqlWrite)].map(([, name, word]) =>
    name === undefined ? tableOf.get(word!.toLowerCase()) : (tableOf.get(name) ?? `unknown: ${name}`)
  )
  const byBuilder = [...text.matchAll(builderWrite)].map(
    ([, on, name]) => tableOf.get(name!) ?? (/^(tx|db)$/.test(on ?? '') ? `unknown: ${name}` : undefined)
  )
  return [...new Set([...bySql, ...byBuilder])].filter(table => table !== undefined)
}

const foreignWrites = (file: string, source: string) =>
  writtenBy(source)
    .filter(table => ownerOf.get(table) !== file.split(path.sep)[1])
    .map(table => `${file} ${table}`)

t.test('every table has one owner', async t => {
  const owned = Object.values(owners).flat()
  t.same(owned.toSorted(), tables.map(({ table }) => table).toSorted())
})

t.test('only its owner and the listed others write a table', async t => {
  const written = sources.flatMap(file => foreignWrites(file, fs.readFileSync(path.join(root, file), 'utf8')))
  const listed = Object.entries(exceptions).flatMap(([file, why]) => Object.keys(why).map(table => `${file} ${table}`))
  t.same(
    written.filter(write => !listed.includes(write)),
    [],
    'no other writes'
  )
  t.same(
    listed.filter(write => !written.includes(write)),
    [],
    'the list holds nothing that is over'
  )
  t.ok(listed.length <= 12, `${listed.length} of at most 12`)
})

t.test('one file writes the state of the newest email, and one adds people with it', async t => {
  const writers = sources.filter(file =>
    /delivery_state|deliveryState:/.test(fs.readFileSync(path.join(root, file), 'utf8'))
  )
  t.same(writers.toSorted(), ['src/db/schema.ts', 'src/invitations/invite-store.ts', 'src/mail/copies-store.ts'])
})

t.test('the check finds writes in either dialect, and mistakes no lock or hash for one', async t => {
  const found = (statement: string) => foreignWrites('src/teams/store.ts', statement)
  const people = ['src/teams/store.ts people']
  t.same(found('await tx.update(people).set({ role })'), people)
  t.same(found('await tx\n    .insert(people)\n    .values(user)'), people)
  t.same(found('await tx.delete(person)'), ['src/teams/store.ts unknown: person'])
  t.same(found('sql`update people p set role = 1`'), people)
  t.same(found('sql`with gone as (\n delete from\n people returning *)`'), people)
  t.same(found(`sql\`insert into \${people} (id) values (1)\``), people)
  t.same(found(`sql\`MERGE INTO people using x\``), people)
  t.same(found(`sql\`update \${somewhere} set x = 1\``), ['src/teams/store.ts unknown: somewhere'])
  t.same(found('sql`insert into teams (id) values (1) on conflict do update set name = 1`'), [])
  t.same(found('sql`select from people p for no key update of people`'), [])
  t.same(found("// update people\ncreateHash('sha256').update(text)"), [])
})
