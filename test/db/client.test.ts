import t from 'tap'
import { connect, inTime, transaction } from '../../src/db/client.ts'
import { isDatabaseAway } from '../../src/db/faults.ts'
import { cloneDatabase } from '../support/database.ts'
import { one, sql } from '../support/people.ts'

t.test('R5: a connection that is cut fails only its own statement; the pool stays usable', async t => {
  const { db: admin, url, drop } = await cloneDatabase()
  const db = connect(url, { connections: 2 })
  t.teardown(async () => {
    await db.$client.end({ timeout: 1 })
    await drop()
  })
  const cut = (pid: number) => admin.execute(sql`select pg_terminate_backend(${pid})`)
  for (let round = 0; round < 30; round++) {
    const broken = transaction(db, async tx => {
      const { pid } = await one<{ pid: number }>(tx as typeof db, sql`select pg_backend_pid() as pid`)
      await Promise.all([tx.execute(sql`select pg_sleep(20)`), cut(pid)])
    })
    const error = await broken.catch(each => each)
    t.ok(isDatabaseAway(error), `round ${round}`)
    // more than the pool has connections: each of them must work again
    await inTime(Promise.all([1, 2, 3, 4].map(() => db.execute(sql`select pg_sleep(0.005)`))), 5_000)
  }
})

t.test('a database that does not answer in time counts as unreachable', async t => {
  const error = await inTime(new Promise(() => {}), 10).catch(each => each)
  t.ok(isDatabaseAway(error))
  t.equal(await inTime(Promise.resolve(7), 10), 7)
})

t.test(
  'R10: a transaction that begins behind any number of queries ends, and its connection is free again',
  async t => {
    const { db, drop } = await cloneDatabase({ connections: 1 })
    t.teardown(drop)
    const sql = db.$client
    for (const waiting of [99, 100, 101]) {
      await sql`select 1` // now the types are known, so the next statements are sent ahead
      const queries = Array.from({ length: waiting }, () => sql`select pg_sleep(0.001)`.execute())
      t.same(await transaction(db, async tx => (await tx.execute('select 7 as n'))[0]), { n: 7 })
      await Promise.all(queries)
      const began = async () => (await sql`select now()::text as moment`)[0]!.moment
      t.not(await began(), await began(), `behind ${waiting}`)
    }
  }
)
