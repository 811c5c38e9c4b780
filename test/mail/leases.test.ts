/** Which worker has an email while it is ready, in flight, or sent and not written yet. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { connect } from '../../src/db/client.ts'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { layCable } from '../support/cut-database.ts'
import { until } from '../support/server.ts'
import { takesAll, transportThat } from '../support/transports.ts'
import { countsOf, means, numbered, order, organization } from './orders.ts'

async function stage(t: Test) {
  const made = await organization()
  t.teardown(made.drop)
  return made
}

test('R3: an email in flight for longer than a lease stays with its worker', async t => {
  const { db, query } = await stage(t)
  const id = await order(db, numbered(5))
  const slow = transportThat(() => pause(5_000, undefined))
  const sending = deliverDue(means(db, slow, { leaseSeconds: 2 }))
  await until(async () => (await query`select from deliveries where state = 'sending'`).length === 5)
  let isOver = false
  const other = takesAll()
  const rival = (async () => {
    for (; !isOver; await pause(20)) await deliverDue(means(db, other, { leaseSeconds: 2 }))
  })()
  await sending
  isOver = true
  await rival
  t.equal(slow.recipients.length, 5)
  t.same(other.recipients, [])
  t.same(await countsOf(db, id), { sent: 5 })
})

test('an email in flight for a while shows on its person until it is sent', async t => {
  const { db, query } = await stage(t)
  await order(db, numbered(5))
  const shown = async () =>
    await query`select distinct delivery_state as state from people where delivery_id is not null`
  const sending = deliverDue(
    means(
      db,
      transportThat(() => pause(2_500, undefined))
    )
  )
  await until(async () => (await query`select from people where delivery_state = 'sending'`).length === 5)
  t.same(await shown(), [{ state: 'sending' }])
  await sending
  t.same(await shown(), [{ state: 'sent' }])
})

test('R3: what a crashed worker had claimed is sent by another within a lease and a sweep', async t => {
  const { db, query } = await stage(t)
  const id = await order(db, numbered(30))
  const end = new AbortController()
  const never = transportThat(
    () => new Promise(resolve => end.signal.addEventListener('abort', () => resolve(undefined)))
  )
  // this worker never comes back to renew its leases
  const cable = layCable()
  t.teardown(cable.cut)
  const gone = connect(await cable.through((await stageUrl(db))!), { connections: 2 })
  const run = deliverDue(means(gone, never, { leaseSeconds: 1, signal: end.signal })).catch(error => error)
  t.teardown(async () => {
    end.abort()
    await run
    await gone.$client.end({ timeout: 0 })
  })
  await until(async () => (await query`select from deliveries where state = 'sending'`).length >= 20)
  cable.cut()
  const other = takesAll()
  await until(async () => {
    await deliverDue(means(db, other))
    return other.recipients.length === 30
  }, 5_000)
  t.same(await countsOf(db, id), { sent: 30 })
})

test('R3: what was ready for half a lease is released and not sent', async t => {
  const { db } = await stage(t)
  const id = await order(db, numbered(20))
  const left: number[] = []
  const began = Date.now()
  const slow = transportThat(async () => {
    left.push(Date.now() - began)
    await pause(1_300)
    return undefined
  })
  const one = { ...slow, concurrency: 1 }
  const stop = new AbortController()
  const run = deliverDue(means(db, one, { leaseSeconds: 2, signal: stop.signal }))
  await until(() => left.length === 2)
  stop.abort()
  await run
  t.same(await countsOf(db, id), { sent: 2, queued: 18 })
  const [first] = await db.$client`select max(attempts) as n from deliveries where state = 'queued'`
  t.equal(first!.n, 0)
})

test('R5: while the database is unreachable, sending stops after a bounded number of emails, and none is sent twice', async t => {
  const { db } = await stage(t)
  const id = await order(db, numbered(2_000))
  const cable = layCable()
  t.teardown(cable.cut)
  const cut = connect(await cable.through((await stageUrl(db))!), { connections: 4 })
  t.teardown(() => cut.$client.end({ timeout: 0 }))
  const transport = transportThat(() => pause(1, undefined))
  const run = deliverDue(means(cut, transport))
  await until(() => transport.recipients.length >= 600)
  cable.cut()
  const before = transport.recipients.length
  await pause(1_000)
  const during = transport.recipients.length
  t.ok(during - before <= 600, `${during - before} were sent while nothing could be written`)
  await cable.mend()
  await run
  await deliverDue(means(db, transport))
  t.equal(transport.recipients.length, 2_000)
  t.equal(new Set(transport.recipients).size, 2_000)
  t.same(await countsOf(db, id), { sent: 2_000 })
})

test('R5: after the database was away, a worker has some seconds more for its expired leases', async t => {
  const { db, query } = await stage(t)
  const id = await order(db, ['ben'])
  await query`update deliveries set state = 'sending', attempts = 1, lease_until = pg_postmaster_start_time() - interval '1 second'`
  await query`update people set delivery_state = 'sending' where delivery_id is not null`
  await query`update batches set mails_queued = 0, mails_sending = 1`
  const transport = takesAll()
  await until(async () => {
    const [row] = await query`select now() > pg_postmaster_start_time() + interval '10 seconds' as is_over`
    const sent = await deliverDue(means(db, transport))
    if (!row!.isOver) t.equal(sent, 0)
    return sent === 1
  })
  t.same(await countsOf(db, id), { sent: 1 })
})

async function stageUrl(db: Awaited<ReturnType<typeof organization>>['db']) {
  const [row] = await db.$client`select current_database() as name`
  const url = new URL(process.env.TEST_DATABASE_URL!)
  url.pathname = `/${row!.name}`
  return url.href
}
