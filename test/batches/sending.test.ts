import t, { type Test } from 'tap'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { startApp } from '../support/app.ts'
import { countsOf, upload } from '../support/batches.ts'
import { startScripted } from '../support/scripted-smtp.ts'
import { freePort } from '../support/server.ts'
import { settingsFor } from '../support/smtp-server.ts'
import { takesAll, transportThat } from '../support/transports.ts'
import { judgeAll } from '../support/workers.ts'

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  return { ...app, ben: await app.browser('ben') }
}

const numbered = (count: number, name = 'person') =>
  Array.from({ length: count }, (_, index) => `${name}${index}@larkfield.example`)

t.test('R23: a typed invitation is sent while a large batch is being sent', async t => {
  const { db, ben, work } = await start(t)
  await upload(ben, numbered(5_000))
  await judgeAll(db)
  let askedAfter = 0
  const transport = transportThat(async () => {
    if (transport.recipients.length < 1_000 || askedAfter > 0) return undefined
    askedAfter = transport.recipients.length
    const answer = await ben.post('/invite', { email: 'urgent@larkfield.example' })
    t.equal(answer.statusCode, 303)
    return undefined
  })
  await work(transport)
  t.equal(transport.recipients.length, 5_001)
  const waited = transport.recipients.indexOf('urgent@larkfield.example') - askedAfter
  t.ok(waited < 1_500, `${waited} others left before it`)
})

t.test('R23: a typed invitation is judged and created while a large list is being judged', async t => {
  const { db, ben } = await start(t)
  const id = await upload(ben, numbered(20_000))
  const judging = judgeAll(db)
  const answer = await ben.post('/invite', { email: 'urgent@larkfield.example' })
  t.equal(answer.statusCode, 303)
  const [large] = await db.$client`select state from batches where id = ${id}`
  t.equal(large!.state, 'checking', 'it did not wait for the list')
  await judging
  t.match(await countsOf(db, id), { state: 'sending', mails: { queued: 20_000 } })
})

t.test(
  'R6: the mail server goes down and comes back: nothing is lost or counted, and no one gets two emails',
  async t => {
    const { db, ben, work } = await start(t)
    const port = await freePort()
    const transport = smtpTransport(settingsFor(port))
    t.teardown(() => transport.close())
    const id = await upload(ben, numbered(60))
    for (let tries = 0; tries < 3; tries += 1) {
      await work(transport)
      await db.$client`update mail_transport set next_probe_at = now()`
    }
    t.match(await countsOf(db, id), { state: 'sending', mails: { queued: 60 } })
    const [attempts] = await db.$client`select sum(attempts) as n from deliveries`
    t.equal(attempts!.n, 0)
    t.match((await ben.get('/')).body, 'Rollcall can’t reach the mail server. Emails are waiting.')

    const angry = await startScripted({ greeting: '421 4.3.2 come back later' }, port)
    await db.$client`update mail_transport set next_probe_at = now()`
    await work(transport)
    t.match(await countsOf(db, id), { state: 'sending' })
    await angry.stop()

    const server = await startScripted({}, port)
    t.teardown(server.stop)
    for (let tries = 0; tries < 5 && (await countsOf(db, id)).state !== 'done'; tries += 1) {
      await db.$client`update mail_transport set next_probe_at = now()`
      await db.$client`update deliveries set next_attempt_at = now() where state in ('queued', 'deferred')`
      await work(transport)
    }
    t.match(await countsOf(db, id), { state: 'done', mails: { sent: 60 } })
    t.same(server.taken.map(({ to }) => to).toSorted(), numbered(60).toSorted())
    t.notMatch((await ben.get('/')).body, 'Rollcall can’t reach the mail server')
  }
)

t.test('every outcome has its own count, and together they equal the invitations', async t => {
  const { db, ben, work } = await start(t)
  const server = await startScripted()
  t.teardown(server.stop)
  const transport = smtpTransport(server.settings)
  t.teardown(() => transport.close())
  const names = ['a', 'b', 'r550.c', 'r552.d', 'r450.e', 'e554.f', 'e451.g', 'd451.h']
  const id = await upload(ben, [...names.map(name => `${name}@larkfield.example`), 'nobody', 'a@larkfield.example'])
  await work(transport)
  const counts = await countsOf(db, id)
  t.match(counts, { state: 'sending', all: 10, lines: { invite: 8, malformed: 1, duplicate: 1 } })
  t.match(counts.mails, { sent: 2, failed: 3, deferred: 3 })
  const page = (await ben.get(`/batches/${id}?delivery=failed`)).body
  t.match(page, '550 5.1.1 no such user')
  t.match(page, '552 5.2.2 over quota')
  t.equal(page.match(/data-delivery="failed"/g)!.length, 3)
  const again = await upload(ben, ['r550.c@larkfield.example', 'r552.d@larkfield.example'])
  await work(takesAll())
  t.match(
    (await countsOf(db, again)).lines,
    { suppressed: 1, pending: 1 },
    'only an address that is not there is suppressed'
  )
})
