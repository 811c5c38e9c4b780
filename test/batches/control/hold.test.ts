import t, { type Test } from 'tap'
import { startApp } from '../../support/app.ts'
import { batchOf, countsOf, eventsSince, lastEvent, upload } from '../../support/batches.ts'
import { takesAll, transportThat } from '../../support/transports.ts'
import { judgeAll, judgeThrough } from '../../support/workers.ts'

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  return { ...app, ben: await app.browser('ben') }
}

const numbered = (count: number, name = 'person') =>
  Array.from({ length: count }, (_, index) => `${name}${index}@larkfield.example`)

t.test('a batch paused while its lines are judged is neither judged nor sent until it is resumed', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(12_000))
  await judgeThrough(db, 6_000)
  const before = await lastEvent(db)
  t.equal((await ben.post(`/batches/${id}/pause`)).statusCode, 303)
  const transport = takesAll()
  await work(transport)
  t.match(await countsOf(db, id), { state: 'paused', lines: { invite: 5_000 }, mails: { queued: 5_000 } })
  t.same(transport.recipients, [])
  t.match((await ben.get(`/batches/${id}`)).body, 'data-batch-state="paused"')
  t.equal((await ben.post(`/batches/${id}/resumption`)).statusCode, 303)
  await work(transport)
  t.match(await countsOf(db, id), { state: 'done', lines: { invite: 12_000 }, mails: { sent: 12_000 } })
  t.equal(new Set(transport.recipients).size, 12_000)
  t.same(await eventsSince(db, before), ['batch-paused', 'batch-resumed', 'invitations-sent'])
})

t.test('when a batch is paused while sending, emails in flight arrive and the rest wait', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(30))
  await judgeAll(db)
  await ben.post(`/batches/${id}/pause`)
  const transport = takesAll()
  await work(transport)
  t.same(transport.recipients, [])
  t.match((await ben.get(`/batches/${id}`)).body, 'Paused: 30 invitations waiting')
  await ben.post(`/batches/${id}/resumption`)
  await work(transport)
  t.match(await countsOf(db, id), { state: 'done', mails: { sent: 30 } })
})

t.test('a batch paused while its last email was in flight is done as soon as it is resumed', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(1))
  await judgeAll(db)
  await work(
    transportThat(async () => {
      await ben.post(`/batches/${id}/pause`)
      return undefined
    })
  )
  t.match(await countsOf(db, id), { state: 'paused', mails: { sent: 1 } })
  await ben.post(`/batches/${id}/resumption`)
  t.match(await countsOf(db, id), { state: 'done', mails: { sent: 1 } })
})

t.test('a batch that was only being checked resumes checking, and waits for the order to send', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(12_000), { action: 'check' })
  await judgeThrough(db, 6_000)
  await ben.post(`/batches/${id}/pause`)
  await ben.post(`/batches/${id}/resumption`)
  await work(takesAll())
  t.match(await countsOf(db, id), { state: 'checked', lines: { invite: 12_000 }, mails: {} })
})

t.test('ten equal refusals stop a batch with the reason; resuming sends the rest', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(300))
  await work(transportThat(({ to }) => ({ is: 'policy', reply: `554 5.7.1 <${to}>: relaying denied` })))
  const stopped = await countsOf(db, id)
  t.equal(stopped.state, 'stopped')
  t.ok(stopped.mails.failed! >= 10 && stopped.mails.queued! > 0)
  const { body } = await ben.get(`/batches/${id}`)
  t.match(body, 'Rollcall stopped this batch.')
  t.match(body, 'The mail server refused 10 emails in a row: 554 5.7.1')
  await work(takesAll())
  t.same((await countsOf(db, id)).mails, stopped.mails, 'nothing more leaves')
  t.equal((await ben.post(`/batches/${id}/resumption`)).statusCode, 303)
  await work(takesAll())
  t.match(await countsOf(db, id), { state: 'done', mails: { failed: stopped.mails.failed } })
  t.equal((await batchOf(db, id)).stopReason, null)
})
