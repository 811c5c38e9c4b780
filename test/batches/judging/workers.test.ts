import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { classifyNext } from '../../../src/batches/judging/classify.ts'
import { startApp } from '../../support/app.ts'
import { batchOf, countsOf, eventsSince, lastEvent, linesOf, upload } from '../../support/batches.ts'
import { introduceCast, knownList, randomFrom } from '../../support/lists.ts'
import { isLong } from '../../support/long.ts'
import { takesAll } from '../../support/transports.ts'
import { connectAgain, forgetFailures, judgeAll, judgeThrough } from '../../support/workers.ts'

/** More than one transaction judges, 5,000 lines. */
const many = isLong ? 11_000 : 6_000

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  await introduceCast(app.db, app.ids.ben)
  return { ...app, ben: await app.browser('ben') }
}

t.test('R11: three concurrent workers judge each line once and invite each address once', async t => {
  const { db, ben, work } = await start(t)
  const lists = [knownList(many, { seed: 1 }), knownList(many, { seed: 2 }), knownList(300, { seed: 3 })]
  const ids: number[] = []
  for (const { text } of lists) ids.push(await upload(ben, text))
  const before = await lastEvent(db)
  const others = await Promise.all([connectAgain(db), connectAgain(db)])
  await Promise.all([db, ...others].map(judgeAll))
  for (const [index, { lines }] of lists.entries()) {
    const counts = await countsOf(db, ids[index]!)
    t.match(counts, { state: 'sending', all: lines.length })
    const found = await linesOf(db, ids[index]!)
    t.same(
      found.map(({ line }) => line),
      lines.map(({ line }) => line)
    )
  }
  const [twice] = await db.$client`
    select count(*) as n from (select person_id from invitations
      where accepted_at is null and revoked_at is null and superseded_at is null group by 1 having count(*) > 1) more`
  t.equal(twice!.n, 0)
  t.same((await eventsSince(db, before)).filter(kind => kind === 'invitations-sent').length, 3)
  const transport = takesAll()
  await work(transport)
  t.equal(new Set(transport.recipients).size, transport.recipients.length)
  await Promise.all(others.map(other => other.$client.end()))
})

t.test('R2: a worker that dies at any point loses no line and repeats none', async t => {
  const { db, ben } = await start(t)
  const { text, lines } = knownList(many)
  const id = await upload(ben, text)
  const random = randomFrom(5)
  let deaths = 0
  for (let round = 0; round < 20 && (await batchOf(db, id)).state === 'checking'; round += 1) {
    const worker = await connectAgain(db)
    const [row] = await worker.$client`select pg_backend_pid() as pid`
    const working = classifyNext(worker).then(
      () => {},
      () => (deaths += 1)
    )
    await pause(random() * 150)
    await db.$client`select pg_terminate_backend(${row!.pid})`
    await working
    await worker.$client.end({ timeout: 1 })
    await forgetFailures(db)
  }
  t.ok(deaths > 0, `${deaths} died`)
  await judgeAll(db)
  const found = (await linesOf(db, id)).map(({ line, text, verdict, firstLine }) => ({
    line,
    text,
    verdict,
    firstLine
  }))
  const wanted = lines.map(({ address: _, ...line }) => line)
  t.equal(JSON.stringify(found), JSON.stringify(wanted), 'exactly what an undisturbed worker would have written')
  const { lines: counts, mails } = await countsOf(db, id)
  t.equal(mails.queued, counts.invite)
})

t.test('R2: an expired lease is taken over, and its former worker does no harm', async t => {
  const { db, ben } = await start(t)
  const { text, lines } = knownList(many, { seed: 4 })
  const id = await upload(ben, text)
  const others = await Promise.all([connectAgain(db), connectAgain(db)])
  const over = (async () => {
    while ((await batchOf(db, id)).state === 'checking') {
      await db.$client`update batches set lease_until = now() - interval '1 second', failures = 0 where id = ${id} and state = 'checking'`
    }
  })()
  await Promise.all(
    [db, ...others].map(async worker => {
      while ((await batchOf(db, id)).state === 'checking') await classifyNext(worker).catch(() => {})
    })
  )
  await over
  t.equal((await linesOf(db, id)).length, lines.length)
  const { state, lines: counts, mails } = await countsOf(db, id)
  t.equal(state, 'sending')
  t.equal(mails.queued, counts.invite)
  await Promise.all(others.map(other => other.$client.end()))
})

t.test(
  'R21: lines that kill every worker are set aside after three tries with the reason, and others continue',
  async t => {
    const { db, ben, work, logged } = await start(t)
    const poisoned = await upload(
      ben,
      Array.from({ length: 6_000 }, (_, index) => `p${index}@larkfield.example`)
    )
    await judgeThrough(db, 5_500)
    const [chunk] = await db.$client`
    update batch_chunks b set line_numbers = 'x' from batch_chunks o where b.batch_id = o.batch_id and b.first_line = o.first_line
    returning o.line_numbers as numbers`
    const other = await upload(ben, 'kim@larkfield.example')
    let tries = 0
    while ((await batchOf(db, poisoned)).state === 'checking') {
      await work(takesAll()).catch(() => (tries += 1))
      await db.$client`update batches set lease_until = null`
    }
    t.equal(tries, 3)
    await work(takesAll())
    t.match(await countsOf(db, other), { state: 'done', mails: { sent: 1 } })
    t.match(await countsOf(db, poisoned).catch(() => batchOf(db, poisoned)), { state: 'stopped' })
    const { body } = await ben.get(`/batches/${poisoned}`)
    t.match(body, 'Rollcall stopped this batch.')
    t.match(body, 'The next lines failed 3 times.')
    t.match(body, '5,000 of 6,000 lines checked')

    await db.$client`update batch_chunks set line_numbers = ${chunk!.numbers}`
    t.equal((await ben.post(`/batches/${poisoned}/resumption`)).statusCode, 303)
    await work(takesAll())
    t.match(await countsOf(db, poisoned), { state: 'done', lines: { invite: 6_000 }, mails: { sent: 6_000 } })
    t.notMatch(logged.join(''), 'p5999@larkfield.example', 'no address in the log')
  }
)
