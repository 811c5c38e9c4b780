import fs from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { connect, type Database } from '../../src/db/client.ts'
import { countPending, migrate } from '../../src/db/migrate.ts'
import { otherDatabase } from '../support/other-database.ts'

const formerFolder = path.join(import.meta.dirname, '../../drizzle-former')
const former = fs
  .readdirSync(formerFolder)
  .map(file => file.replace(/\.sql$/, ''))
  .sort()

/** Everything that a migration creates, as sorted text; columns by name, because grown tables have another order. */
async function catalogOf(db: Database): Promise<string[]> {
  const rows = await db.$client<{ line: string }[]>`
    select format('table %s %s %s', c.relname, c.relpersistence, coalesce(c.reloptions::text, '')) as line
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    union all
    select format('column %s.%s %s %s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then 'not null' end, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), l.collname)
      from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        left join pg_collation l on l.oid = a.attcollation
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    union all
    select format('index %s', pg_get_indexdef(i.indexrelid)) from pg_index i join pg_class c on c.oid = i.indrelid
      where c.relnamespace = 'public'::regnamespace
    union all
    select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = 'public'::regnamespace and contype <> 'n'
    union all
    select format('trigger %s', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
    union all
    select format('function %s', pg_get_functiondef(p.oid)) from pg_proc p
      where p.pronamespace = 'public'::regnamespace and not exists (
        select from pg_depend e where e.objid = p.oid and e.deptype = 'e')
    union all
    select format('extension %s', extname) from pg_extension
    order by line`
  return rows.map(({ line }) => line)
}

/** A database as a version before the first release left it after this many migrations. */
async function formerDatabase(db: Database, count: number) {
  await db.$client.begin(async tx => {
    await tx`create schema drizzle`
    await tx`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint,
      name text, applied_at timestamp with time zone default now())`
    for (const name of former.slice(0, count)) {
      const text = fs.readFileSync(path.join(formerFolder, `${name}.sql`), 'utf8')
      for (const statement of text.split('--> statement-breakpoint')) await tx.unsafe(statement)
      await tx`insert into drizzle.__drizzle_migrations (hash, created_at, name) values ('', 0, ${name})`
    }
  })
}

async function emptyDatabase(t: Test): Promise<Database> {
  const { url } = await otherDatabase(t)
  const db = connect(url, { connections: 2 })
  t.teardown(() => db.$client.end({ timeout: 1 }))
  return db
}

t.test('one migration makes the same schema as the former ones, from any of them', async t => {
  const fresh = await emptyDatabase(t)
  await migrate(fresh)
  t.equal(await countPending(fresh), 0)
  const expected = await catalogOf(fresh)
  t.ok(expected.length > 300, 'the comparison sees the schema')
  for (const count of [1, 13, former.length]) {
    const db = await emptyDatabase(t)
    await formerDatabase(db, count)
    t.ok((await countPending(db)) > 0, `after ${count} migrations some are pending`)
    await migrate(db)
    t.equal(await countPending(db), 0)
    t.same(await catalogOf(db), expected, `from ${count} migrations`)
  }
})

t.test('a migrated database runs src/db/functions.sql', async t => {
  const [migrated, written] = [await emptyDatabase(t), await emptyDatabase(t)]
  await migrate(migrated)
  await migrate(written)
  const text = fs.readFileSync(path.join(import.meta.dirname, '../../src/db/functions.sql'), 'utf8')
  const triggers =
    await written.$client`select tgname, tgrelid::regclass::text as "table" from pg_trigger where not tgisinternal`
  for (const { tgname, table } of triggers) await written.$client.unsafe(`drop trigger ${tgname} on ${table}`)
  await written.$client.unsafe(text).simple()
  const [expected, actual] = [await catalogOf(migrated), await catalogOf(written)]
  t.same(actual, expected)
  const functions = expected.filter(line => line.startsWith('function')).map(line => /public\.(\w+)/.exec(line)![1]!)
  t.same(
    functions.filter(name => !text.includes(`FUNCTION "${name}"`)),
    [],
    'no function is left out'
  )
  t.ok(triggers.length > 10, 'the triggers were made again')
})
