import t from 'tap'
import { startApp } from '../support/app.ts'
import { multipart } from '../support/multipart.ts'
import { one, sql } from '../support/people.ts'

const { db, browser, work, close } = await startApp()
t.teardown(close)

t.test('a list becomes a report and the right emails', async t => {
  const ben = await browser('ben')
  const lines = [
    'ada.new@larkfield.example',
    '',
    'nobody',
    'kim@elsewhere.example',
    'ADA.new@larkfield.example',
    'dan@larkfield.example'
  ]
  const answer = await ben.upload(
    '/bulk',
    multipart({ action: 'send' }, { name: 'people.txt', content: lines.join('\r\n') })
  )
  t.equal(answer.statusCode, 303)
  const page = answer.headers.location!
  t.match((await ben.get(page)).body, 'data-batch-state="checking"')
  await work()
  const done = await ben.get(page)
  t.match(done.body, 'data-batch-state="done"')
  t.match(
    await one(db, sql`select lines, judged, invite, malformed, "foreign", duplicate, active, mails_sent from batches`),
    {
      lines: 5,
      judged: 5,
      invite: 1,
      malformed: 1,
      foreign: 1,
      duplicate: 1,
      active: 1,
      mailsSent: 1
    }
  )
})
