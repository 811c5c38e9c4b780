/** Behind PgBouncer in transaction mode, which keeps neither settings nor prepared statements for the next transaction. */
import { test } from 'tap'
import { connect, transaction } from '../../../src/db/client.ts'
import { deliverDue } from '../../../src/mail/deliver-due.ts'
import { introduce, means, numbered, order } from '../../mail/orders.ts'
import { otherDatabase, prepare, problemsOf } from '../../support/other-database.ts'
import { startPgBouncer } from '../../support/pgbouncer.ts'
import { takesAll } from '../../support/transports.ts'

test('PgBouncer: startup prints the missing statements; after they run, email is sent', async t => {
  const other = await otherDatabase(t)
  const pooler = await startPgBouncer(other.url)
  t.teardown(pooler.stop)
  const place = { ...other, url: pooler.url }
  const [problem, ...more] = await problemsOf(place)
  t.same(more, [])
  t.match(problem, /behind this pooler .*; run: alter role u in database d set .*jit = 'off'/)
  t.match(problem, /then have the pooler open new connections/)
  const statements = /run: (.*); then have/.exec(problem!)![1]!
  await other.runOutside(statements)
  await pooler.restart()
  const { session, warnings } = await prepare(pooler.url)
  t.same({ isPooled: session.isPooled, warnings }, { isPooled: true, warnings: [] })
  const db = connect(pooler.url, { connections: 12, session })
  t.teardown(() => db.$client.end({ timeout: 1 }))
  await introduce(db)
  const batch = await order(db, numbered(400))
  const counts = Array.from({ length: 40 }, () =>
    transaction(db, async tx => {
      const [row] = await tx.execute<{ n: number }>('select count(*) as n from people')
      return row!.n
    })
  )
  const transports = [takesAll(), takesAll()]
  await Promise.all([...transports.map(transport => deliverDue(means(db, transport))), ...counts])
  t.equal(new Set(transports.flatMap(({ recipients }) => recipients)).size, 400)
  const [row] = await db.$client`select state, mails_sent from batches where id = ${batch}`
  t.match(row, { state: 'done', mailsSent: 400 })
})
