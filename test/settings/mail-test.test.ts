import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { startApp } from '../support/app.ts'
import { everyRow } from '../support/rows.ts'
import { startMailServer } from '../support/smtp-server.ts'

const url = '/settings/mail/test'
const to = 'ada@larkfield.example'

t.test('without a mail server the test email is a file in the outbox, and the page says so', async t => {
  const { db, dataDir, browser, close } = await startApp()
  t.teardown(close)
  const ada = await browser('ada')
  const before = await everyRow(db)
  const answer = await ada.post(url, { to: ' Ada@Larkfield.Example ' })
  t.equal(answer.statusCode, 200)
  t.match(answer.body, 'No mail server is set, so nothing was sent.')
  const [file = ''] = fs.readdirSync(path.join(dataDir, 'outbox'))
  t.match(answer.body, `outbox/${file}`)
  t.match(fs.readFileSync(path.join(dataDir, 'outbox', file), 'utf8'), /To: "Ada" <ada@larkfield\.example>/)
  t.same(await everyRow(db), before, 'nothing is changed')
  t.match((await ada.get('/settings/mail')).body, `value="${to}"`)
})

t.test('with one, each step is shown; only to oneself, only for owners, and not too often', async t => {
  const server = await startMailServer()
  t.teardown(server.stop)
  const { db, browser, close } = await startApp({
    environment: { SMTP_URL: `smtp://127.0.0.1:${server.settings.port}`, MAIL_FROM: 'rollcall@larkfield.example' }
  })
  t.teardown(close)
  const [ada, ben] = [await browser('ada'), await browser('ben')]
  t.equal((await ben.post(url, { to: 'ben@larkfield.example' })).statusCode, 403)
  for (const wrong of ['', 'ben@larkfield.example', 'nonsense', `${to}, ben@larkfield.example`]) {
    const answer = await ada.post(url, { to: wrong })
    t.equal(answer.statusCode, 422, wrong)
    t.match(answer.body, 'The test goes to your own address only')
  }
  t.same(server.mails, [])
  const before = await everyRow(db)
  const answer = await ada.post(url, { to })
  t.equal(answer.statusCode, 200)
  for (const words of [
    'The mail server accepted the test email',
    'Name',
    'Greeting',
    'Encryption',
    'Recipient',
    'kept as 1'
  ])
    t.match(answer.body, words)
  t.match(server.mails, [{ to: [to] }])
  t.match(String(server.mails[0]?.raw), 'From: "Larkfield" <rollcall@larkfield.example>')
  t.same(await everyRow(db), before)
  for (let more = 0; more < 4; more += 1) t.equal((await ada.post(url, { to })).statusCode, 200)
  const late = await ada.post(url, { to })
  t.equal(late.statusCode, 429)
  t.match(late.headers['retry-after'], /^\d+$/)
  t.equal(server.mails.length, 5)
})
