/** A canceled batch shows what was not sent, and one button invites those people. */
import t, { type Test } from 'tap'
import { startApp } from '../../support/app.ts'
import { countsOf, shownCounts, upload } from '../../support/batches.ts'
import { readCsv } from '../../support/csv.ts'
import { expire, inviteOne, one, sql } from '../../support/people.ts'
import { takesAll, transportThat } from '../../support/transports.ts'
import { judgeAll } from '../../support/workers.ts'

const smtp = { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'rollcall@larkfield.example' }
async function start(t: Test) {
  const app = await startApp({ environment: smtp })
  t.teardown(app.close)
  return { ...app, ben: await app.browser('ben') }
}
const addresses = Array.from({ length: 40 }, (_, index) => `person${index}@larkfield.example`)
const text = (body: string) =>
  body
    .slice(body.indexOf('<main'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')

t.test('people whose email was never sent are not invited, and "Invite the N" invites just them, once', async t => {
  const { db, ben, work, ids } = await start(t)
  const [team] = await db.execute<{ id: number }>(
    sql`insert into teams (name, source, created_by) values ('Crew', 'hand', ${ids.ben}) returning id`
  )
  const before = await inviteOne(db, ids.ben, addresses[39]!)
  await work(takesAll())
  await expire(db, before.personId)
  const id = await upload(ben, addresses)
  await db.execute(sql`insert into batch_teams (batch_id, team_id) values (${id}, ${team!.id})`)
  await judgeAll(db)
  // the first 15 are sent, then the batch is paused and canceled
  await db.execute(sql`update deliveries set state = 'deferred', next_attempt_at = now() + interval '1 hour'
    where batch_id = ${id} and address not in (${sql.join(
      addresses.slice(0, 15).map(each => sql`${each}`),
      sql`, `
    )})`)
  await db.execute(sql`update batches set mails_queued = 15, mails_deferred = 25 where id = ${id}`)
  await db.execute(sql`update people p set delivery_state = d.state from deliveries d where d.id = p.delivery_id`)
  const transport = takesAll()
  await work(transport)
  t.equal(transport.recipients.length, 15)
  t.equal((await ben.post(`/batches/${id}/cancellation`)).statusCode, 303)
  t.match(await countsOf(db, id), { state: 'cancelled', mails: { sent: 15, cancelled: 25 } })

  const page = (await ben.get(`/batches/${id}`)).body
  t.match(text(page), 'Canceled: 15 invitations sent, 25 not sent')
  t.match(text(page), '15 sent, 25 not sent')
  t.match(text(page), '15 of 40 emails done', 'what was called off is not done')
  t.match(page, 'Invite the 25')
  t.notMatch(text(page), /will be invited/)
  t.match(shownCounts(page), { invite: [40], sent: [15], cancelled: [25] })
  const notSent = (await ben.get(`/batches/${id}?delivery=cancelled`)).body
  t.match(text(notSent), 'Line 16: not sent')
  t.notMatch(notSent, /badge good/)
  t.equal((notSent.match(/<tr data-verdict="invite" data-delivery="cancelled"/g) ?? []).length, 25)

  const states = await db.execute<{ enrollment: string; n: number }>(sql`
    select stage as enrollment, count(*) as n from people where address_key like 'person%' group by 1 order by 1`)
  t.same(
    [...states],
    [
      { enrollment: 'invited', n: 16 },
      { enrollment: 'not-invited', n: 24 }
    ]
  )
  const csv = readCsv((await ben.get('/people.csv?q=person39')).body)
  t.match(csv[1]!.slice(3, 5), ['expired', 'cancelled'], 'who was invited before is as before')
  t.match(text((await ben.get(`/people/${before.personId}`)).body), 'Not sent: the batch was canceled first')
  t.equal(
    (
      await one<{ n: number }>(
        db,
        sql`select count(*) as n from people where invited_at is not null and stage = 'not-invited'`
      )
    ).n,
    0
  )

  const first = await ben.post(`/batches/${id}/rest`)
  t.equal(first.statusCode, 303)
  t.equal(
    (await ben.post(`/batches/${id}/rest`)).headers.location,
    first.headers.location,
    'pressed twice it is one batch'
  )
  const rest = Number(/(\d+)$/.exec(first.headers.location!)![1])
  await judgeAll(db)
  t.match(await countsOf(db, rest), { all: 25, lines: { invite: 25 }, mails: { queued: 25 } })
  await work(transport)
  t.same(transport.recipients.toSorted(), addresses.toSorted(), 'each was written to once')
  t.match(await one(db, sql`select team_id from batch_teams where batch_id = ${rest}`), {
    teamId: team!.id
  })
  const later = (await ben.get(`/batches/${id}`)).body
  t.notMatch(later, 'Invite the 25')
  t.match(later, `href="/batches/${rest}">another batch`)
  t.match((await ben.get(`/batches/${rest}`)).body, `href="/batches/${id}">a canceled batch`)
})

t.test('an email in flight when the batch is canceled keeps its invitation, and is not sent twice', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, addresses.slice(0, 3))
  await judgeAll(db)
  let answer: unknown
  const transport = transportThat(async () => {
    if (answer === undefined) {
      answer = null
      await ben.post(`/batches/${id}/cancellation`)
      answer = await ben.post(`/batches/${id}/rest`)
    }
    return undefined
  })
  await work(transport)
  t.match(answer, { statusCode: 409 }, 'not while something is on its way')
  await work(transport)
  const { mails } = await countsOf(db, id)
  t.equal((mails.sent ?? 0) + (mails.cancelled ?? 0), 3)
  if (mails.cancelled) t.equal((await ben.post(`/batches/${id}/rest`)).statusCode, 303)
  await judgeAll(db)
  await work(transport)
  t.same(transport.recipients.toSorted(), addresses.slice(0, 3), 'each was written to once')
})

t.test('an invitation whose link was shown before the batch was canceled is revoked, not forgotten', async t => {
  const { db, ben } = await start(t)
  const id = await upload(ben, addresses.slice(0, 2))
  await judgeAll(db)
  const { invitationId } = await one<{ invitationId: number }>(
    db,
    sql`select invitation_id from people where address_key = ${addresses[0]!}`
  )
  t.equal((await ben.post(`/invitations/${invitationId}/link`)).statusCode, 200)
  await ben.post(`/batches/${id}/cancellation`)
  const stages = await db.execute<{ stage: string }>(
    sql`select stage from people where address_key like 'person%' order by id`
  )
  t.same(
    stages.map(({ stage }) => stage),
    ['revoked', 'not-invited']
  )
})

t.test('people on a checked and canceled list can still be invited; other batches have no rest', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, [...addresses.slice(0, 2), 'nonsense'], { action: 'check' })
  await judgeAll(db)
  await ben.post(`/batches/${id}/cancellation`)
  const page = (await ben.get(`/batches/${id}`)).body
  t.match(text(page), 'Canceled: none of 2 invitations sent')
  t.match(page, /<a\s+id="verdict-invite"[^>]*>\s*<span class="k mute">/, 'and no green dot beside it')
  t.match(page, 'Invite the 2')
  const sent = await ben.post(`/batches/${id}/rest`)
  await judgeAll(db)
  await work(takesAll())
  t.match(await countsOf(db, Number(/(\d+)$/.exec(sent.headers.location!)![1])), { state: 'done', mails: { sent: 2 } })
  const done = await upload(ben, addresses.slice(5, 6))
  await judgeAll(db)
  await work(takesAll())
  t.equal((await ben.post(`/batches/${done}/rest`)).statusCode, 409)
  t.equal((await ben.post('/batches/999999/rest')).statusCode, 404)
})
