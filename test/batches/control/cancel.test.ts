import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { cancel } from '../../../src/batches/control/cancel.ts'
import { nextChunk } from '../../../src/batches/judging/judge-store.ts'
import { addToCounts } from '../../../src/batches/store.ts'
import { transaction } from '../../../src/db/client.ts'
import { startApp } from '../../support/app.ts'
import { countsOf, eventsSince, lastEvent, shownCounts, upload, verdictsOf } from '../../support/batches.ts'
import { introduceCast, knownList } from '../../support/lists.ts'
import { invite } from '../../support/people.ts'
import { takesAll, transportThat } from '../../support/transports.ts'
import { judgeAll, judgeThrough } from '../../support/workers.ts'

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  return { ...app, ben: await app.browser('ben') }
}

const numbered = (count: number, name = 'person') =>
  Array.from({ length: count }, (_, index) => `${name}${index}@larkfield.example`)

t.test(
  'canceled while lines are judged: the judged ones stay in the report, and nothing more is judged or sent',
  async t => {
    const { db, ben, ids, work } = await start(t)
    await introduceCast(db, ids.ben)
    await work(takesAll())
    const { text, lines } = knownList(12_000)
    const id = await upload(ben, text)
    await judgeThrough(db, 6_000)
    const before = await lastEvent(db)
    t.equal((await ben.post(`/batches/${id}/cancellation`)).statusCode, 303)
    const transport = takesAll()
    await work(transport)
    t.same(transport.recipients, [])
    const counts = await countsOf(db, id)
    const judged = Object.values(counts.lines).reduce((sum, n) => sum + n, 0)
    t.equal(judged, 5_000)
    t.match(counts, { state: 'cancelled', all: lines.length, mails: { cancelled: counts.lines.invite } })
    t.same(await db.$client`select 1 from batch_chunks`, [])
    t.same(await eventsSince(db, before), ['batch-cancelled'])
    const page = (await ben.get(`/batches/${id}`)).body
    t.match(page, `5,000 of ${lines.length.toLocaleString('en')} lines checked`)
    t.match(shownCounts(page), { invite: [counts.lines.invite], cancelled: [counts.lines.invite] })
    t.notMatch(page, 'data-hx-get', 'it refreshes itself no more')
  }
)

t.test('sent emails stay sent; the others are canceled, and those people can be invited again', async t => {
  const { db, ben, ids, work } = await start(t)
  const addresses = numbered(300)
  const id = await upload(ben, addresses)
  await judgeAll(db)
  const transport = transportThat(async () => {
    if (transport.recipients.length === 10) await ben.post(`/batches/${id}/cancellation`)
    // sending takes time, and every half second the worker checks whether the batch is on hold
    if (transport.recipients.length > 10) await pause(50)
    return undefined
  })
  await work(transport)
  await work(transport)
  const left = transport.recipients.length
  t.ok(left >= 10 && left < 300, `${left} left`)
  t.match(await countsOf(db, id), { state: 'cancelled', all: 300, mails: { sent: left, cancelled: 300 - left } })
  const verdicts = await verdictsOf(db, await invite(db, ids.ben, ...addresses))
  t.equal(verdicts.filter(verdict => verdict === 'invite').length, 300 - left)
  t.equal(verdicts.filter(verdict => verdict === 'pending').length, left)
  await work(transport)
  t.same(transport.recipients.toSorted(), addresses.toSorted(), 'each was written to once')
})

t.test('an email that may have arrived keeps its invitation', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(2))
  await work(transportThat(() => ({ is: 'unknown', reply: 'the answer was lost' })))
  t.match(await countsOf(db, id), { state: 'sending', mails: { deferred: 2 } })
  t.equal((await ben.post(`/batches/${id}/cancellation`)).statusCode, 303)
  t.match(await countsOf(db, id), { state: 'cancelled', mails: { cancelled: 2 } })
  t.same(await db.$client`select 1 from invitations where revoked_at is not null`, [])
})

t.test('all emails are canceled, even more than one step can handle', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(6_000))
  await judgeAll(db)
  await ben.post(`/batches/${id}/cancellation`)
  t.match(await countsOf(db, id), { state: 'cancelled', mails: { cancelled: 5_000, queued: 1_000 } })
  const transport = takesAll()
  await work(transport)
  t.match(await countsOf(db, id), { state: 'cancelled', mails: { cancelled: 6_000 } })
  t.same(transport.recipients, [])
})

t.test('a batch that was only checked or partly sent can be canceled as well', async t => {
  const { db, ben, work } = await start(t)
  const checked = await upload(ben, numbered(3), { action: 'check' })
  await judgeAll(db)
  t.equal((await ben.post(`/batches/${checked}/cancellation`)).statusCode, 303)
  t.match(await countsOf(db, checked), { state: 'cancelled', lines: { invite: 3 }, mails: {} })

  const half = await upload(ben, numbered(12_000, 'half'), { action: 'check' })
  await judgeAll(db)
  await ben.post(`/batches/${half}/sending`)
  await judgeThrough(db, 6_000)
  t.match(await countsOf(db, half), { state: 'checking', lines: { invite: 12_000 }, mails: { queued: 5_000 } })
  await ben.post(`/batches/${half}/cancellation`)
  await work(takesAll())
  t.match(await countsOf(db, half), { state: 'cancelled', lines: { invite: 12_000 }, mails: { cancelled: 5_000 } })
})

t.test('canceling neither waits for the lines that a worker is judging nor conflicts with them', async t => {
  const { db, ben, ids, work } = await start(t)
  const id = await upload(ben, numbered(6_000))
  await transaction(db, async tx => {
    t.ok(await nextChunk(tx, id))
    t.equal(await cancel(db, ids.ben, id), 'done')
    await addToCounts(tx, id, { judged: 0, mailsQueued: 0, lines: 1 })
  })
  await work(takesAll())
  t.same(await db.$client`select 1 from batch_chunks`, [])
  t.same((await countsOf(db, id)).mails, {})
})
