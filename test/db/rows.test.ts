import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { bool, float, int, listOf, oneOf, orNull, rowsOf, text } from '../../src/db/rows.ts'
import { cloneDatabase } from '../support/database.ts'

const { db, drop } = await cloneDatabase()

test('rows have camelCase names, and numbers where SQL counts', async t => {
  const columns = { people: int, openMails: int, meanWait: float, firstId: orNull(int), allIds: listOf(int) }
  const statement = sql`
    select count(*) as people, coalesce(sum(n), 0) as open_mails, 1.5::numeric as mean_wait, null::bigint as first_id,
      '{1,2}'::bigint[] as all_ids
    from (select 3::bigint as n) m`
  t.same(await rowsOf(db, columns)`${statement}`, [
    { people: 1, openMails: 3, meanWait: 1.5, firstId: null, allIds: [1, 2] }
  ])
})

test('keys inside JSON keep their names', async t => {
  const [row] = await db.execute(sql`select json_build_object('file_name', 1) as some_details`)
  t.same(row, { someDetails: { file_name: 1 } })
})

test('numbers and null arrive as they are given', async t => {
  const [row] = await db.execute(sql`
    select ${9_007_199_254_740_991}::bigint as largest, ${null}::bigint as none, ${sql.param([1, 2])}::bigint[] as some,
      ${1.5}::numeric as half`)
  t.same(row, { largest: 9_007_199_254_740_991, none: null, some: [1, 2], half: 1.5 })
})

const wrong: [what: string, columns: Parameters<typeof rowsOf>[1], message: RegExp][] = [
  ['another type', { name: int }, /name/],
  ['a column that is missing', { name: text, isOpen: bool }, /isOpen/],
  ['null', { name: text, nickName: text }, /nickName/],
  ['another word', { name: oneOf(['Ada', 'Ben']) }, /name/]
]

for (const [what, columns, message] of wrong)
  test(`in tests a row that is not what it claims is refused by its column: ${what}`, async t => {
    await t.rejects(rowsOf(db, columns)`select 'Cleo' as name, null::text as nick_name`, { message })
  })

test('end', () => drop())
