import t from 'tap'
import { forgetLines } from '../../../src/batches/report/forget-store.ts'
import { startApp } from '../../support/app.ts'
import { invite, one, sql } from '../../support/people.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)

const linesOf = async (batchId: number) =>
  (await one<{ n: number }>(db, sql`select count(*) as n from recipients where batch_id = ${batchId}`)).n

t.test('the lines of a batch are deleted after the configured days; its counts and its people stay', async t => {
  const old = await invite(db, ids.ben, 'old.one@larkfield.example', 'old.two@larkfield.example')
  const young = await invite(db, ids.ben, 'young@larkfield.example')
  await work()
  await db.execute(sql`update batches set finished_at = now() - interval '91 days' where id = ${old}`)
  while (await forgetLines(db));
  t.equal(await linesOf(old), 0)
  t.equal(await linesOf(young), 1)
  t.match(await one(db, sql`select lines, invite, mails_sent from batches where id = ${old}`), {
    lines: 2,
    invite: 2,
    mailsSent: 2
  })
  const ben = await browser('ben')
  const page = await ben.get(`/batches/${old}`)
  t.equal(page.statusCode, 200)
  t.match(page.body, /deleted after 90 days/)
  t.match((await ben.get('/people?q=old.one')).body, 'old.one@larkfield.example')
})
