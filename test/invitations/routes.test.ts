import t from 'tap'
import { revoke } from '../../src/invitations/revoke.ts'
import { goodPassword, startApp } from '../support/app.ts'
import { expire, inviteOne, one, sql } from '../support/people.ts'
import { everyRow } from '../support/rows.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
const events = (kind: string, personId: number) =>
  one<{ n: number }>(db, sql`select count(*) as n from events where kind = ${kind} and person_id = ${personId}`)

t.test('resending keeps the link, restarts the period and queues one more email', async t => {
  const { invitationId, personId, token } = await inviteOne(db, ids.ben, 'resend@larkfield.example')
  await work()
  await db.execute(sql`update invitations set expires_at = now() + interval '1 hour' where id = ${invitationId}`)
  const answer = await ben.post(`/invitations/${invitationId}/deliveries`)
  t.match(answer, { statusCode: 303, headers: { location: `/people/${personId}` } })
  t.match((await ben.get(`/people/${personId}`)).body, 'kept in the outbox again')
  const days = sql`select round(extract(epoch from expires_at - now()) / 86400) as days from invitations where id = ${invitationId}`
  t.match(await one(db, days), { days: 14 })
  t.match(await one(db, sql`select count(*) as n from deliveries where person_id = ${personId}`), { n: 2 })
  t.equal((await (await browser()).get(`/join/${token}`)).statusCode, 200)
  t.match(await events('invitation-resent', personId), { n: 1 })
  await ben.post(`/invitations/${invitationId}/deliveries`)
  const queued = sql`select count(*) as n from deliveries where person_id = ${personId} and state = 'queued'`
  t.match(await one(db, queued), { n: 1 }, 'a mail that waits is not owed twice')
})

t.test('revoking disables the link at once and cancels the email', async t => {
  const { invitationId, personId, token } = await inviteOne(db, ids.ben, 'revoke@larkfield.example')
  const answer = await ben.post(`/invitations/${invitationId}/revocation`)
  t.match(answer, { statusCode: 303, headers: { location: `/people/${personId}` } })
  t.equal((await (await browser()).get(`/join/${token}`)).statusCode, 410)
  t.match(await one(db, sql`select state from deliveries where person_id = ${personId}`), { state: 'cancelled' })
  t.match(await events('invitation-revoked', personId), { n: 1 })
})

t.test('copying the link shows it once, uncached, and is an event', async t => {
  const { invitationId, personId } = await inviteOne(db, ids.ben, 'copy@larkfield.example')
  const answer = await ben.post(`/invitations/${invitationId}/link`)
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, { 'cache-control': 'no-store' })
  const link = /value="(http:\/\/localhost:3000\/join\/[\w-]{43})"/.exec(answer.body)?.[1]
  t.ok(link)
  const visitor = await browser()
  t.equal((await visitor.get(new URL(link!).pathname)).statusCode, 200)
  t.match(await events('link-shown', personId), { n: 1 })
  t.match((await ben.post(`/invitations/${invitationId}/link`)).body, link!, 'the same link again')
  t.match(await events('link-shown', personId), { n: 1 }, 'a page that is loaded again is no news')
  t.equal((await ben.post(`/invitations/${invitationId}/link`, { how: 'copied' })).statusCode, 200)
  t.match(await events('link-shown', personId), { n: 2 })
  const page = (await ben.get(`/people/${personId}`)).body
  t.match(page, 'viewed the invitation link of')
  t.match(page, 'copied the invitation link of')
  t.match(page, /data-copy-link[\s\S]*Show link…[\s\S]*Copy link/)
  await work()
  t.equal((await ben.get(new URL(link!).pathname)).statusCode, 200, 'the mail carries the same one')
  t.notMatch((await ben.get(`/people/${personId}`)).body, link!.slice(-43))
})

t.test('a closed invitation cannot be resent, shown or revoked, and does not change', async t => {
  const late = await inviteOne(db, ids.ben, 'late@larkfield.example')
  await expire(db, late.personId)
  const taken = await inviteOne(db, ids.ben, 'taken@larkfield.example')
  await revoke(db, ids.ben, taken.invitationId)
  const joined = await inviteOne(db, ids.ben, 'joined@larkfield.example')
  await (await browser()).post(`/join/${joined.token}`, { name: 'Joined', password: goodPassword })
  const old = await inviteOne(db, ids.ben, 'old@larkfield.example')
  await expire(db, old.personId)
  await inviteOne(db, ids.ben, 'old@larkfield.example')
  const closed: [number, string[]][] = [
    [late.invitationId, ['deliveries', 'link']],
    [taken.invitationId, ['deliveries', 'link', 'revocation']],
    [joined.invitationId, ['deliveries', 'link', 'revocation']],
    [old.invitationId, ['deliveries', 'link', 'revocation']]
  ]
  const before = await everyRow(db)
  for (const [id, acts] of closed)
    for (const act of acts) t.equal((await ben.post(`/invitations/${id}/${act}`)).statusCode, 409, `${act} ${id}`)
  t.same(await everyRow(db), before)
})
