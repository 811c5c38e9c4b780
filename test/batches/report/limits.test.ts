import t from 'tap'
import { startApp } from '../../support/app.ts'
import { one, sql } from '../../support/people.ts'

const environment = { SMTP_URL: 'smtp://mail.example.org:587?connections=10', MAIL_FROM: 'rollcall@larkfield.example' }
const { db, browser, ids, close } = await startApp({ environment })
t.teardown(close)
const ben = await browser('ben')
const ada = await browser('ada')

t.test('a batch, Settings and the metrics say what the mail server asked for', async t => {
  const { id } = await one<{ id: number }>(
    db,
    sql`insert into batches (source, state, action, created_by, lines, judged, invite, mails_queued)
      values ('file', 'sending', 'send', ${ids.ben}, 173, 173, 173, 173) returning id`
  )
  const page = async () => (await ben.get(`/batches/${id}`)).body
  t.notMatch(await page(), 'mail.example.org')
  t.notMatch((await ben.get('/metrics')).body, 'rollcall_mail_limit')
  await db.execute(sql`insert into mail_servers (server, connections, reply)
    values ('mail.example.org:587', 3, '421 4.7.0 <too> many')`)
  t.match(await page(), 'mail.example.org allows 3 connections at once; Rollcall uses 3.')
  t.match(await page(), 'Its reply: 421 4.7.0 &lt;too&gt; many')
  await db.execute(
    sql`update mail_servers set per_minute = 30, mails_per_connection = 1, rest_until = now() + interval '50 seconds'`
  )
  const words = [
    'mail.example.org takes 1 email on one connection; Rollcall then opens another.',
    'mail.example.org asked Rollcall to slow down: 30 emails a minute. 173 emails left, about 6 minutes.',
    /mail\.example\.org asked Rollcall to wait\. Sending resumes in \d\d s; no email is lost\./
  ]
  for (const each of words) t.match(await page(), each)
  const settings = (await ada.get('/settings/mail')).body
  t.match(settings, 'mail.example.org allows 3 connections at once')
  t.match(settings, '30 emails a minute.')
  const metrics = (await ben.get('/metrics')).body
  for (const line of ['connections 3', 'mails_per_connection 1', 'mails_per_minute 30'])
    t.match(metrics, `\nrollcall_mail_limit_${line}\n`)
  t.match(metrics, /rollcall_mail_limit_rest_seconds \d\d/)
})

t.test('another server’s limits are not shown', async t => {
  await db.execute(sql`update mail_servers set server = 'other.example.org:587'`)
  t.notMatch((await ada.get('/settings/mail')).body, 'connections at once')
})
