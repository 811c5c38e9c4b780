/** More pages wait for the database than there are connections. */
import t from 'tap'
import { mailTo, stage, startSink } from '../support/faults.ts'
import { inviteOver, setUpOver, until } from '../support/server.ts'

t.test(
  'R10: while 200 slow queries use up the connections, pages return 503 and email is sent; then it recovers',
  async t => {
    const { db, start } = await stage(t)
    const sink = await startSink(t)
    const server = await start(mailTo(sink.settings.port))
    await setUpOver(server)
    await inviteOver(server, 'ben@larkfield.example')
    await until(() => sink.taken.length === 1)

    const held = Promise.withResolvers<void>()
    const holding = db.$client.begin(async sql => {
      await sql`lock table events in access exclusive mode`
      await held.promise
    })
    const slow = Array.from({ length: 200 }, () => server.get('/activity'))
    const waiting = async () => {
      const [row] = await db.$client`
      select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      return row!.n
    }
    await until(async () => (await waiting()) >= 12)
    const first = await server.get('/people')
    t.match(first, { status: 503, headers: { 'retry-after': /^\d+$/ } })
    const began = performance.now()
    const others = await Promise.all(Array.from({ length: 20 }, () => server.get('/people')))
    t.same([...new Set(others.map(({ status }) => status))], [503])
    t.comment(`twenty more were turned away after ${Math.round(performance.now() - began)} ms`)
    t.match(await server.get('/live'), { status: 200, text: 'ok' })
    t.match(await server.get('/ready'), { status: 503, text: /^database: / })

    await db.$client`
    update deliveries set state = 'queued', settled_at = null, next_attempt_at = now()`
    await db.$client`update batches set state = 'sending', mails_sent = 0, mails_queued = 1`
    await until(() => sink.taken.length === 2)

    held.resolve()
    await holding
    await until(async () => (await server.get('/people')).status === 200, 10_000)
    t.same(
      (await Promise.all(slow)).filter(({ status }) => status !== 200 && status !== 503),
      []
    )
    t.equal((await server.get('/ready')).status, 200)
    await inviteOver(server, 'cleo@larkfield.example')
    await until(() => sink.taken.some(({ to }) => to === 'cleo@larkfield.example'))
  }
)
