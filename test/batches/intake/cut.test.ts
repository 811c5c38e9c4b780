import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { startApp } from '../../support/app.ts'
import { countsOf, eventsSince, lastEvent, upload } from '../../support/batches.ts'
import { randomFrom } from '../../support/lists.ts'
import { multipart } from '../../support/multipart.ts'
import { until } from '../../support/server.ts'
import { takesAll } from '../../support/transports.ts'
import { openRequest } from '../../support/uploads.ts'

const addresses = Array.from({ length: 12_000 }, (_, index) => `person${index}@larkfield.example`)
const list = { name: 'people.txt', content: addresses.join('\n') }

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  await app.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.app.server.address() as AddressInfo
  const ben = await app.browser('ben')
  const open = (form: ReturnType<typeof multipart>) =>
    openRequest(port, '/bulk', {
      ...{ cookie: ben.cookie!, 'content-type': form.type, 'content-length': form.body.length }
    })
  const states = async () => [...(await app.db.$client`select state from batches order by id`)].map(row => row.state)
  /** Every part has noticed that the sender disconnected. */
  const settled = () =>
    until(async () => {
      const connections = await new Promise(resolve => app.app.server.getConnections((_, count) => resolve(count)))
      return connections === 0 && !(await states()).includes('receiving')
    })
  return { ...app, ben, open, states, settled }
}

t.test('R1, S30: an upload cut anywhere never sends, and uploading it again invites each address once', async t => {
  const { db, ben, open, states, settled, work, logged } = await start(t)
  const form = multipart({ action: 'send' }, list)
  const random = randomFrom(7)
  for (let round = 0; round < 12; round += 1) {
    const request = open(form)
    const point = Math.floor(random() * form.body.length)
    await request.write(form.body.subarray(0, point))
    if (round % 2 === 0) await until(async () => (await states()).includes('receiving'))
    request.cut()
    await settled()
    await work()
  }
  t.same(new Set(await states()), new Set(['incomplete']))
  t.same(await db.$client`select 1 from recipients union all select 1 from batch_chunks`, [])
  t.same(await db.$client`select 1 from deliveries union all select 1 from invitations`, [])
  t.notMatch(logged.join(''), 'request failed', 'a lost connection is no fault of ours')

  const first = await upload(ben, list.content)
  const second = await upload(ben, list.content)
  await work(takesAll())
  const [one, other] = [await countsOf(db, first), await countsOf(db, second)]
  t.same([one.state, other.state], ['done', 'done'])
  t.equal((one.lines.invite ?? 0) + (other.lines.invite ?? 0), addresses.length, 'both were worked on in turns')
  t.equal((one.lines.pending ?? 0) + (other.lines.pending ?? 0), addresses.length)
  const [mails] = await db.$client`select count(*) as n, count(distinct address) as each from deliveries`
  t.same(mails, { n: addresses.length, each: addresses.length })
})

t.test('an upload cut after its file is incomplete, with one event', async t => {
  const { db, open, states, settled, work } = await start(t)
  const form = multipart({ action: 'send' }, list, { isFileFirst: true })
  const before = await lastEvent(db)
  const request = open(form)
  await request.write(form.body.subarray(0, -30))
  await until(async () => (await states()).includes('receiving'))
  request.cut()
  await settled()
  await work()
  t.same(await states(), ['incomplete'])
  t.same(await eventsSince(db, before), ['upload-cut'])
})

t.test('an upload without activity for a minute is incomplete, and bytes that come later change nothing', async t => {
  const { db, ben, open, states, work } = await start(t)
  const form = multipart({ action: 'send' }, list)
  const before = await lastEvent(db)
  const request = open(form)
  await request.write(form.body.subarray(0, 200_000))
  await until(async () => (await db.$client`select 1 from batches where lines > 0`).length > 0)
  await work()
  t.same(await states(), ['receiving'], 'it is alive')
  await db.$client`update batches set received_at = now() - interval '61 seconds'`
  await work()
  t.same(await states(), ['incomplete'])
  await request.write(form.body.subarray(200_000))
  request.end()
  const answer = await request.answer
  t.equal(answer.status, 303)
  const page = await ben.get(answer.headers.location!)
  t.match(page.body, 'data-batch-state="incomplete"')
  t.match(page.body, 'The upload was interrupted')
  await work()
  t.same(await states(), ['incomplete'])
  t.same(await db.$client`select 1 from recipients union all select 1 from batch_chunks`, [])
  t.same(await eventsSince(db, before), ['upload-cut'])
  for (const act of ['sending', 'pause', 'resumption', 'cancellation', 'deliveries']) {
    t.equal((await ben.post(`${answer.headers.location}/${act}`)).statusCode, 409, act)
  }
})
