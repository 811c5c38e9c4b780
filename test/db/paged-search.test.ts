import t from 'tap'
import { contains, containsByIndex } from '../../src/db/paged-search.ts'
import { cloneDatabase } from '../support/database.ts'
import { sql } from '../support/people.ts'

t.test('two characters are found by their index anywhere, with any text after them', async t => {
  const { db, drop } = await cloneDatabase()
  t.teardown(drop)
  const signs = [...' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\n’“„–7azßéøžłÿœş']
  const texts = [
    ...signs.map(sign => `jo${sign}x@larkfield.example`),
    ...['ajo', 'jo', 'x%jo', 'x\njo', 'banjo player', 'o j', 'j.o', 'jö', 'JO'.toLowerCase()]
  ]
  await db.execute(sql`create table words as select unnest(${sql.param(texts)}::text[]) as word`)
  const found = async (where: ReturnType<typeof contains>) =>
    (await db.execute<{ word: string }>(sql`select word from words where ${where} order by word`)).map(row => row.word)
  for (const typed of ['jo', 'Jo', 'an', '7x', 'le', 'xx', 'o%', '%j', '_o', 'ö'])
    t.same(await found(containsByIndex(sql`word`, typed)), await found(contains(sql`word`, typed)), typed)
  t.equal((await found(containsByIndex(sql`word`, 'jo'))).length, signs.length + 6)
})
