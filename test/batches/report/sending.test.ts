import t from 'tap'
import { startApp } from '../../support/app.ts'
import { one, sql } from '../../support/people.ts'

const { db, browser, ids, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

async function sending(queued: number) {
  const { id } = await one<{ id: number }>(
    db,
    sql`insert into batches (source, state, action, created_by, lines, judged, invite, mails_queued)
      values ('file', 'sending', 'send', ${ids.ben}, ${queued}, ${queued}, ${queued}, ${queued}) returning id`
  )
  const bodyOf = async () => (await ben.get(`/batches/${id}`)).body
  return { id, bodyOf }
}

t.test('a batch that is being sent shows its speed and the time left', async t => {
  const { id, bodyOf } = await sending(6_000)
  t.notMatch(await bodyOf(), 'mails a second', 'nothing is known yet')
  await db.execute(sql`insert into batch_samples (batch_id, at, settled) values
    (${id}, now() - interval '90 seconds', 0), (${id}, now() - interval '50 seconds', 1000), (${id}, now(), 2000)`)
  t.match(await bodyOf(), /20 emails a second, about 5 min \d s left/)
})

t.test('it says what is delayed and why', async t => {
  const { id, bodyOf } = await sending(3)
  t.notMatch(await bodyOf(), 'held back')
  await db.execute(sql`insert into deliveries (person_id, batch_id, address, state, server_reply)
    select ${ids.dan}, ${id}, 'dan@larkfield.example', 'deferred', '450 4.2.0 greylisted' from generate_series(1, 2)`)
  await db.execute(sql`insert into mail_transport (id) values (1) on conflict do nothing`)
  await db.execute(sql`update mail_transport set per_second = 5, paused_since = now(), reason = 'connection refused.'`)
  const body = await bodyOf()
  t.match(body, 'Some emails are waiting')
  t.match(body, '2 wait for another try: 450 4.2.0 greylisted')
  t.match(body, 'Settings limit sending to 5 emails a second.')
  t.match(body, 'Could not use the mail server: connection refused.')
})
