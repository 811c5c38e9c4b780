import t from 'tap'
import { goodPassword, startApp } from '../support/app.ts'
import { expire, inviteOne, sql } from '../support/people.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const [ben, cleo] = [await browser('ben'), await browser('cleo')]

const countsOf = (body: string) =>
  Object.fromEntries(
    [...body.matchAll(/data-count="([\w-]+)" data-value="(\d+)"/g)].map(([, name, value]) => [name, Number(value)])
  )

t.test('before the first invitation the dashboard says so', async t => {
  const { body, statusCode } = await ben.get('/')
  t.equal(statusCode, 200)
  t.match(body, 'No invitations yet')
  t.match(countsOf(body), { invited: 0, 'signed-up': 4 })
  t.match(body, /Invite your people[\s\S]*href="\/invite"[\s\S]*href="\/bulk"[\s\S]*href="\/groups"/)
  t.notMatch(body, 'From invitation to joining', 'a picture of the users alone would say that all is done')
  const auditor = (await cleo.get('/')).body
  t.notMatch(auditor, 'Invite your people')
})

t.test('the dashboard counts people by enrollment, with a link to each group', async t => {
  await inviteOne(db, ids.ben, 'open@larkfield.example')
  await expire(db, (await inviteOne(db, ids.ben, 'late@larkfield.example')).personId)
  const { token } = await inviteOne(db, ids.ben, 'joined@larkfield.example')
  await (await browser()).post(`/join/${token}`, { name: 'Joined', password: goodPassword })
  await work()
  const { body } = await ben.get('/')
  t.match(countsOf(body), { 'not-invited': 0, invited: 1, expired: 1, revoked: 0, 'signed-up': 5, deactivated: 0 })
  for (const state of ['invited', 'expired', 'signed-up']) t.match(body, `href="/people?status=${state}"`)
  t.notMatch(body, 'Invite your people')
  for (const words of ['Known people', 'Invited', 'Handed over', 'Joined']) t.match(body, words)
})

t.test('requests for a new invitation are listed until one is sent', async t => {
  const late = await inviteOne(db, ids.ben, 'asks@larkfield.example')
  await expire(db, late.personId)
  t.notMatch((await ben.get('/')).body, `action="/people/${late.personId}/invitations"`)
  t.equal((await (await browser()).post(`/join/${late.token}/requests`)).statusCode, 303)
  t.match((await ben.get('/')).body, `action="/people/${late.personId}/invitations"`)
  const auditor = (await cleo.get('/')).body
  t.match(auditor, 'asks@larkfield.example')
  t.notMatch(auditor, `action="/people/${late.personId}/invitations"`, 'an auditor sees it and cannot answer')
  t.equal((await ben.post(`/people/${late.personId}/invitations`)).statusCode, 303)
  t.notMatch((await ben.get('/')).body, `/people/${late.personId}"`)
})

t.test('an unusable mail server is reported at the top, with its own words', async t => {
  await db.execute(sql`insert into mail_transport (id, paused_since, next_probe_at, reason)
    values (1, now(), now() + interval '30 seconds', '<connection refused>')
    on conflict (id) do update set paused_since = now(), reason = excluded.reason`)
  t.match((await cleo.get('/')).body, '&lt;connection refused&gt;')
  await db.execute(sql`update mail_transport set paused_since = null, reason = null`)
  t.notMatch((await cleo.get('/')).body, 'connection refused')
})

t.test('recent activity is told in sentences with people’s names', async t => {
  const { body } = await cleo.get('/')
  t.match(body, /<b>Ben<\/b>[^.]*invited 1 person/)
})
