/** Several processes on one database. */
import t from 'tap'
import { countsOf } from '../support/batches.ts'
import { checkMails, mailTo, numbered, stage, startSink, uploadOver } from '../support/faults.ts'
import { inviteOver, setUpOver, until } from '../support/server.ts'

t.test('R11: with two web and two worker processes each line is judged once and each email is sent once', async t => {
  const { db, start } = await stage(t)
  const sink = await startSink(t)
  const [first, second] = await Promise.all([start({ ROLE: 'web' }), start({ ROLE: 'web' })])
  await setUpOver(first)
  second.cookie.value = first.cookie.value
  const worker = { ROLE: 'worker', ...mailTo(sink.settings.port) }
  const workers = await Promise.all([start(worker), start(worker)])
  const [own, shared, other] = [numbered(2_000, 'own'), numbered(1_000, 'shared'), numbered(2_000, 'other')]
  const uploads = [uploadOver(first, [...own, ...shared]), uploadOver(second, [...shared, ...other])]
  const typed = numbered(10, 'typed')
  for (const [index, address] of typed.entries()) await inviteOver(index % 2 ? first : second, address)
  const ids = (await Promise.all(uploads)) as number[]
  await until(async () => (await db.$client`select from batches where state <> 'done'`).length === 0, 40_000)
  let invited = 0
  for (const id of ids) {
    const counts = await countsOf(db, id)
    t.equal(counts.all, 3_000)
    t.equal((counts.lines.invite ?? 0) + (counts.lines.pending ?? 0), 3_000)
    t.equal(counts.mails.sent, counts.lines.invite)
    invited += counts.lines.invite!
  }
  t.equal(invited, 5_000, 'of those on both lists each is invited from one')
  t.equal(checkMails(t, sink, [...own, ...shared, ...other, ...typed]), 0, 'no mail twice')
  for (const each of workers) t.same(await each.stop(), { code: 0, signal: null })
})
