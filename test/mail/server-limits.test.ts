/** Mail servers with limits: all arrives once, only an email's own faults count as attempts, limits are learned. */
import { randomUUID } from 'node:crypto'
import t, { type Test, test } from 'tap'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { announceWorker, raiseLimits, removeWorker } from '../../src/mail/queue/limits-store.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { readPause } from '../../src/mail/store.ts'
import { isLong } from '../support/long.ts'
import { type ScriptedOptions, startScripted } from '../support/scripted-smtp.ts'
import { until } from '../support/server.ts'
import { countsOf, means, numbered, order, organization, passTime } from './orders.ts'

t.jobs = 4

const timeouts = { connectMs: 5_000, greetingMs: 5_000, commandMs: 5_000, finalDotMs: 5_000 }

async function stage(t: Test, script: ScriptedOptions, connections = 10) {
  const { db, query, drop } = await organization()
  const server = await startScripted(script)
  t.teardown(async () => {
    await server.stop()
    await drop()
  })
  const worker = () => {
    const transport = smtpTransport({ ...server.settings, connections }, { timeouts })
    t.teardown(() => transport.close())
    return means(db, transport)
  }
  const known = async () => (await query`select * from mail_servers`)[0]
  const tries = async () => (await query`select max(attempts) as most, min(attempts) as least from deliveries`)[0]!
  return { db, query, server, worker, known, tries }
}

type Staged = Awaited<ReturnType<typeof stage>>

/** Every mail arrived once at its own mailbox, and each counts one try. */
async function allArrived(t: Test, { db, server, tries }: Staged, batch: number, count: number) {
  t.same(await countsOf(db, batch), { sent: count })
  t.equal(server.taken.length, count)
  t.equal(new Set(server.taken.map(({ to }) => to)).size, count)
  t.same(await tries(), { most: 1, least: 1 })
  t.equal(await readPause(db), undefined)
}

const usedUp: [verb: string, words: string, after: number][] = [
  ['DATA', '452 4.4.5 limit of messages for this session reached', 10],
  ['MAIL', '452 4.4.5 limit of messages for this session reached', 10],
  ['RCPT', '452 4.5.3 Too many recipients', 7],
  ['TEXT', '451 4.7.0 Maximum of 5 messages per connection reached', 5],
  ['MAIL', '421 too many messages in this connection', 3],
  ['RCPT', '421 4.7.0 Too many messages for this session', 1]
]

for (const [connections, chosen] of [
  [1, usedUp],
  [4, usedUp.slice(0, 1)]
] as const)
  for (const [verb, words, after] of chosen)
    test(`E13: ${words.slice(0, 9)}… after ${after} emails at ${verb}: another connection takes over, of ${connections}`, async t => {
      const refuse = (at: { verb: string; mails: number }) =>
        at.verb === verb && at.mails >= after ? words : undefined
      const all = await stage(t, { refuse }, connections)
      const batch = await order(all.db, numbered(60))
      await deliverDue(all.worker())
      await allArrived(t, all, batch, 60)
      t.ok(
        all.server.refused.length <= 2 * connections + 1,
        `${all.server.refused.length} refusals until it was learned`
      )
      t.match(await all.known(), { mailsPerConnection: after, reply: words })
      const before = all.server.refused.length
      await order(all.db, numbered(15, 'later'))
      await deliverDue(all.worker())
      t.equal(all.server.refused.length, before, 'a restart remembers it')
      t.equal(all.server.taken.length, 75)
    })

test('a connection that is closed again and again without a reason costs no attempt either', async t => {
  const refuse = (at: { verb: string; mails: number }) => (at.verb === 'MAIL' && at.mails >= 4 ? '421 bye' : undefined)
  const all = await stage(t, { refuse }, 2)
  const batch = await order(all.db, numbered(40))
  await deliverDue(all.worker())
  await allArrived(t, all, batch, 40)
})

const crowded: [verb: string, words: string, most: number][] = [
  ['HELLO', '421 4.7.0 too many concurrent connections from this client', 3],
  ['HELLO', '421 4.3.2 all server ports are busy', 1],
  ['EHLO', '421 4.7.0 Try again later, closing connection. (EHLO)', 3],
  ['TEXT', '432 4.3.2 Concurrent connections limit exceeded', 3]
]

const crowd = isLong ? 200 : 80
for (const [verb, words, most] of crowded)
  test(`E14: "${words.slice(0, 30)}…" beyond ${most} connections at ${verb}: the others keep sending`, async t => {
    const refuse = (at: { verb: string; rank: number }) => (at.verb === verb && at.rank > most ? words : undefined)
    const all = await stage(t, { refuse, pause: 2 })
    const batch = await order(all.db, numbered(crowd))
    await deliverDue(all.worker())
    await allArrived(t, all, batch, crowd)
    t.match(await all.known(), { connections: most, reply: words })
    await until(() => all.server.open === 0 || all.server.open <= most)
  })

/** A worker sends some emails, learns what the server allows and ends. */
async function sendAndLeave(all: Awaited<ReturnType<typeof stage>>, mails: number) {
  await order(all.db, numbered(mails))
  const worker = all.worker()
  await deliverDue(worker)
  await worker.transport.close()
  await removeWorker(all.db, worker.transport.peer!)
}

test('E14: how many connections work is known after a restart, and one more is tried now and then', async t => {
  let most = 3
  const refuse = (at: { verb: string; rank: number }) =>
    at.verb === 'HELLO' && at.rank > most ? '421 4.7.0 too many connections' : undefined
  const all = await stage(t, { refuse, pause: 2 })
  await sendAndLeave(all, 60)
  await until(() => all.server.open === 0)
  const before = all.server.refused.length
  const second = all.worker()
  await order(all.db, numbered(60, 'q'))
  await deliverDue(second)
  t.equal(all.server.refused.length, before, 'no more than three were opened')
  t.equal(second.transport.concurrency, 3)
  const tryMore = async (name: string) => {
    await all.query`update mail_servers set connections_try_at = now()`
    for (const each of ['a', 'b']) {
      await order(all.db, numbered(60, `${name}${each}`))
      await deliverDue(second)
    }
    return all.known()
  }
  t.match(await tryMore('r'), { connections: 3, connectionsRefused: 1 }, 'refused still')
  most = 20
  t.match(await tryMore('s'), { connections: 4 }, 'allowed now')
  t.same(await all.tries(), { most: 1, least: 1 })
  t.equal(all.server.taken.length, 360)
})

test('E14: no more connections are allowed than were tried', async t => {
  const refuse = (at: { verb: string; rank: number }) =>
    at.verb === 'HELLO' && at.rank > 3 ? '421 4.7.0 too many connections' : undefined
  const all = await stage(t, { refuse, pause: 2 })
  await sendAndLeave(all, 60)
  await all.query`update mail_servers set connections_try_at = now()`
  await order(all.db, ['later'])
  await deliverDue(all.worker())
  t.match(await all.known(), { connections: 3, connectionsRaised: false }, 'one was enough for a single mail')
})

test('E14: workers whose number does not divide the limit try one more as well', async t => {
  const { db, query, drop } = await organization()
  t.teardown(drop)
  await query`insert into mail_servers (server, connections, connections_try_at) values ('mx:25', 4, now())`
  const raised = async (worker: string) => {
    const peer = { server: 'mx:25', worker, open: 1, learned: [] }
    await announceWorker(db, peer)
    await raiseLimits(db, peer)
    return (await query`select connections from mail_servers`)[0]!.connections
  }
  const workers = [randomUUID(), randomUUID(), randomUUID()] as const
  t.equal(await raised(workers[0]), 4)
  t.equal(await raised(workers[1]), 4)
  t.equal(await raised(workers[2]), 5, 'each of the three has its share, one')
})

test('several workers share what a server allows, and none puts the others on hold', async t => {
  const refuse = (at: { verb: string; rank: number }) =>
    at.verb === 'HELLO' && at.rank > 4 ? '421 4.7.0 too many connections' : undefined
  const all = await stage(t, { refuse, pause: 5 })
  const batch = await order(all.db, numbered(200))
  const workers = [all.worker(), all.worker(), all.worker()]
  await until(async () => {
    // a worker without a connection releases its emails, perhaps after the others have ended
    await Promise.all(workers.map(deliverDue))
    return all.server.taken.length >= 200
  }, 20_000)
  await allArrived(t, all, batch, 200)
})

test('a server that refuses every connection is out of reach, and nothing is counted', async t => {
  const refuse = (at: { verb: string }) => (at.verb === 'HELLO' ? '421 4.7.0 too many connections' : undefined)
  const all = await stage(t, { refuse })
  const batch = await order(all.db, numbered(20))
  await deliverDue(all.worker())
  t.same(await countsOf(all.db, batch), { queued: 20 })
  t.match(await readPause(all.db), { reason: /too many connections/ })
  t.equal(await all.known(), undefined, 'nothing was learned from it')
  t.same(await all.tries(), { most: 0, least: 0 })
})

const tooFast: [verb: string, words: string, kept: object, rest: [from: number, to: number]][] = [
  ['TEXT', '451 4.7.0 throttled: exceeded the limit of 30 messages per minute', { perMinute: 30 }, [5, 61]],
  ['MAIL', '450 4.7.1 Error: too much mail from 127.0.0.1', { perMinute: 30 }, [5, 61]],
  ['RCPT', '421 4.7.0 Rate limit exceeded, try again in 90 s', { perMinute: 30 }, [85, 91]],
  ['DATA', '452 4.7.1 limit of 600 messages per hour reached', { perMinute: 10 }, [280, 301]],
  ['TEXT', '550 5.4.5 Daily user sending limit exceeded', { perMinute: null }, [1700, 1801]]
]

for (const [verb, words, kept, [from, to]] of tooFast)
  test(`how fast: after "${words.slice(0, 40)}…" the emails wait as long as the server asks`, async t => {
    const refuse = (at: { verb: string }) => (at.verb === verb && all.server.taken.length >= 30 ? words : undefined)
    const all = await stage(t, { refuse }, 1)
    const batch = await order(all.db, numbered(60))
    await deliverDue(all.worker())
    t.same(await countsOf(all.db, batch), { sent: 30, queued: 30 })
    t.same(await all.tries(), { most: 1, least: 0 })
    t.equal(await readPause(all.db), undefined)
    t.match(await all.known(), { ...kept, reply: words })
    const [row] = await all.query`select extract(epoch from rest_until - now())::float as rest from mail_servers`
    t.ok(row!.rest > from - 10 && row!.rest < to, `rests for ${row!.rest} s`)
    const before = all.server.commands.length
    await deliverDue(all.worker())
    t.equal(all.server.commands.length, before, 'not a command before that')
  })

test('how fast: at the pace that the server named, by all workers together, tried faster later', async t => {
  const words = '454 Throttling failure: Maximum sending rate exceeded.'
  const times: number[] = []
  const refuse = (at: { verb: string }) => {
    if (at.verb !== 'TEXT') return undefined
    const now = Date.now()
    if (times.filter(time => now - time < 1_000).length >= 20) return words
    times.push(now)
    return undefined
  }
  const all = await stage(t, { refuse }, 3)
  const batch = await order(all.db, numbered(50))
  const workers = [all.worker(), all.worker()]
  await until(async () => {
    await Promise.all(workers.map(deliverDue))
    return all.server.taken.length === 50
  }, 20_000)
  await Promise.all(workers.map(deliverDue))
  await allArrived(t, all, batch, 50)
  t.ok(all.server.refused.length < 40, `${all.server.refused.length} refusals`)
  const [before] = await all.query`select per_minute from mail_servers`
  await all.query`update mail_servers set per_minute_try_at = now(), rest_until = null`
  await order(all.db, ['later'])
  await deliverDue(all.worker())
  const [after] = await all.query`select per_minute from mail_servers`
  t.equal(after!.perMinute, before!.perMinute * 1.25)
})

test('a greylisted email waits alone, as long as the server asks', async t => {
  const refuse = (at: { verb: string; mails: number }) =>
    at.verb === 'RCPT' && all.server.refused.length === 0 ? '450 4.7.1 Greylisted, try again in 300 seconds' : undefined
  const all = await stage(t, { refuse })
  const batch = await order(all.db, numbered(10))
  await deliverDue(all.worker())
  t.same(await countsOf(all.db, batch), { sent: 9, deferred: 1 })
  const [row] =
    await all.query`select extract(epoch from next_attempt_at - now())::float as wait from deliveries where state = 'deferred'`
  t.ok(row!.wait > 290 && row!.wait < 370, `${row!.wait} s`)
  t.equal(await all.known(), undefined)
  await passTime(all.db)
  await deliverDue(all.worker())
  t.same(await countsOf(all.db, batch), { sent: 10 })
})
