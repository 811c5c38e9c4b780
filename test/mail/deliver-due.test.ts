import { simpleParser } from 'mailparser'
import { test } from 'tap'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { cancelQueued, queueDelivery, readPause, retryFailed } from '../../src/mail/store.ts'
import { type ScriptedOptions, startScripted } from '../support/scripted-smtp.ts'
import { countsOf, means, numbered, order, organization, passTime } from './orders.ts'

const usual = { connectMs: 10_000, greetingMs: 10_000, commandMs: 10_000, finalDotMs: 10_000 }
/** For a server that does not answer. */
const hasty = { ...usual, commandMs: 1_500, finalDotMs: 1_500 }

async function stage(script: ScriptedOptions = {}, timeouts = usual) {
  const { db, query, drop } = await organization()
  const server = await startScripted(script)
  const transport = smtpTransport(server.settings, { timeouts })
  const end = async () => {
    await transport.close()
    await server.stop()
    await drop()
  }
  const of = async (local: string) =>
    (await query`select * from deliveries where address = ${`${local}@larkfield.example`} order by id desc`)[0]!
  const batch = async (id: number) => (await query`select * from batches where id = ${id}`)[0]!
  return { db, query, server, transport, deps: means(db, transport), end, of, batch }
}

test('S9: every invited person gets one email, and the batch is done', async t => {
  const { db, server, deps, end, batch, query } = await stage()
  t.teardown(end)
  const id = await order(db, numbered(300))
  t.equal(await deliverDue(deps), 300)
  t.same(await countsOf(db, id), { sent: 300 })
  t.match(await batch(id), { state: 'done', finishedAt: /^20/ })
  t.same(
    server.taken.map(mail => mail.to).sort(),
    numbered(300)
      .map(p => `${p}@larkfield.example`)
      .sort()
  )
  t.equal((await query`select count(distinct token_hash) as n from invitations`)[0]!.n, 300)
  t.equal(await deliverDue(deps), 0, 'nothing else is due')
})

test('answers end up in states: failed, deferred, suppressed addresses, the server’s words', async t => {
  const { db, query, deps, end, of } = await stage({}, hasty)
  t.teardown(end)
  const id = await order(db, [
    'r550.ben',
    'r552.ben',
    'rplain.ben',
    'e554.ben',
    'r450.ben',
    'rdrop.ben',
    'cleo',
    'estall.ben'
  ])
  await deliverDue(deps)
  t.same(await countsOf(db, id), { failed: 4, deferred: 3, sent: 1 })
  t.match(await of('r550.ben'), { state: 'failed', serverReply: '550 5.1.1 no such user', attempts: 1 })
  t.match(await of('r450.ben'), { state: 'deferred', serverReply: '450 4.2.0 greylisted', attempts: 1 })
  t.match(await of('estall.ben'), { state: 'deferred', mayHaveArrived: true })
  t.same(await query`select address_key, cause from suppressions`, [
    { addressKey: 'r550.ben@larkfield.example', cause: 'bounced' }
  ])
  const wait = (
    await query`select extract(epoch from next_attempt_at - now())::float as s from deliveries where state = 'deferred'`
  ).map(row => row.s)
  t.ok(
    wait.every(s => s > 40 && s < 75),
    `the first wait is a minute ±20 %: ${wait}`
  )
})

test('R3: a second attempt repeats the link and the Message-ID', async t => {
  const { db, server, deps, end, of } = await stage()
  t.teardown(end)
  const id = await order(db, ['e451.ben'])
  const texts: string[] = []
  for (const reply of ['first', 'second']) {
    await deliverDue(deps)
    await passTime(db)
    texts.push(reply)
  }
  t.equal((await of('e451.ben')).attempts, 2)
  const { messageId } = await of('e451.ben')
  await db.$client`update deliveries set address = 'ben@larkfield.example'`
  await db.$client`update people set email = 'ben@larkfield.example' where email like 'e451%'`
  const nonce = (await db.$client`select nonce from invitations`)[0]!.nonce
  await deliverDue(deps)
  t.same((await db.$client`select nonce from invitations`)[0]!.nonce, nonce)
  t.match(server.taken[0]?.text, `Message-ID: <${messageId}>`)
  t.same(await countsOf(db, id), { sent: 1 })
})

test('an answer lost twice leaves it unknown, and it is not sent a third time', async t => {
  const { db, server, deps, end, batch } = await stage()
  t.teardown(end)
  const id = await order(db, ['edrop.ben'])
  for (let i = 0; i < 4; i++) {
    await deliverDue(deps)
    await passTime(db)
  }
  t.same(await countsOf(db, id), { unknown: 1 })
  t.equal(server.commands.filter(command => command.startsWith('DATA')).length, 2)
  t.equal((await batch(id)).state, 'done')
  t.equal(await retryFailed(db, id), 1)
  t.same(await countsOf(db, id), { queued: 1 })
  t.equal((await batch(id)).state, 'sending')
})

test('attempts end after three days or with the invitation', async t => {
  const { db, query, deps, end } = await stage()
  t.teardown(end)
  const id = await order(db, ['r450.ben', 'r450.cleo', 'r450.dan'])
  await query`update deliveries set queued_at = now() - interval '72 hours' where address like '%ben%'`
  await query`update invitations set expires_at = now() + interval '10 seconds' where person_id = (select id from people where email like '%cleo%')`
  await deliverDue(deps)
  t.same(await countsOf(db, id), { failed: 2, deferred: 1 })
})

test('R6: while the server is unreachable nothing is lost, no attempt is counted, one email probes every 30 seconds', async t => {
  const { db, query, server, deps, end } = await stage({ mail: '451 4.3.0 out of order' })
  t.teardown(end)
  const id = await order(db, numbered(50))
  await deliverDue(deps)
  t.same(await countsOf(db, id), { queued: 50 })
  t.match(await readPause(db), { since: Date, reason: '451 4.3.0 out of order' })
  t.equal((await query`select max(attempts) as n from deliveries`)[0]!.n, 0)
  const before = server.commands.length
  await deliverDue(deps)
  t.equal(server.commands.length, before, 'not a command before the next probe')
  await passTime(db)
  await deliverDue(deps)
  t.equal(server.commands.slice(before).filter(line => line.startsWith('MAIL')).length, 1, 'one mail probes')
  delete server.script.mail
  await passTime(db)
  await deliverDue(deps)
  t.same(await countsOf(db, id), { sent: 50 })
  t.equal(await readPause(db), undefined)
})

test('a batch whose emails get the same refusal ten times in a row stops and says why', async t => {
  const { db, deps, end, batch } = await stage()
  t.teardown(end)
  const id = await order(db, numbered(60, 'e554.p'))
  const other = await order(db, ['ben'], 0)
  await deliverDue(deps)
  t.match(await batch(id), { state: 'stopped', stopReason: /refused 10 emails in a row: 554 5\.7\.1 spam/ })
  const counts = await countsOf(db, id)
  t.ok(counts.failed! >= 10 && counts.failed! < 20, `${counts.failed} were refused`)
  t.equal(counts.failed! + counts.queued!, 60)
  t.same(await countsOf(db, other), { sent: 1 })
})

test('batches that are paused, stopped, canceled or only checked are not sent', async t => {
  const { db, server, deps, end } = await stage()
  t.teardown(end)
  for (const state of ['paused', 'stopped', 'cancelled', 'checked', 'receiving']) await order(db, [state], 1, state)
  await deliverDue(deps)
  t.equal(server.taken.length, 0)
  await order(db, ['early'], 1, 'checking')
  await deliverDue(deps)
  t.equal(server.taken.length, 1)
})

test('no email to people who have signed up or opted out, or whose invitation was revoked or has expired', async t => {
  const { db, query, server, deps, end, of } = await stage()
  t.teardown(end)
  const id = await order(db, ['joined', 'revoked', 'late', 'silent', 'ben'])
  const person = (local: string) => query`select id from people where email = ${`${local}@larkfield.example`}`
  await query`update people set signed_up_at = now() where id = (${person('joined')})`
  await query`update invitations set revoked_at = now() where person_id = (${person('revoked')})`
  await query`update invitations set expires_at = now() where person_id = (${person('late')})`
  await query`insert into suppressions (address_key, cause) values ('silent@larkfield.example', 'opted-out')`
  await deliverDue(deps)
  t.same(await countsOf(db, id), { cancelled: 3, suppressed: 1, sent: 1 })
  t.same(
    server.taken.map(mail => mail.to),
    ['ben@larkfield.example']
  )
  t.match((await of('late')).serverReply, /expired/)
})

test('R11: two workers at once send each email once', async t => {
  const { db, server, transport, deps, end } = await stage()
  t.teardown(end)
  const batches = await Promise.all([order(db, numbered(400, 'a')), order(db, numbered(400, 'b')), order(db, ['c'], 0)])
  await Promise.all([deliverDue(deps), deliverDue(means(db, transport))])
  await deliverDue(deps)
  t.equal(server.taken.length, 801)
  t.equal(new Set(server.taken.map(mail => mail.to)).size, 801)
  for (const id of batches) t.ok((await countsOf(db, id)).sent)
})

test('R3: an expired lease makes the email due again, and a late outcome from its old worker changes nothing', async t => {
  const { db, query, deps, end, of } = await stage()
  t.teardown(end)
  const id = await order(db, ['ben'])
  await query`update deliveries set state = 'sending', attempts = 1, lease_until = now() - interval '1 second'`
  await query`update people set delivery_state = 'sending' where delivery_id is not null`
  await query`update batches set mails_queued = 0, mails_sending = 1`
  await deliverDue(deps)
  t.match(await of('ben'), { state: 'sent', attempts: 2, mayHaveArrived: true })
  t.same(await countsOf(db, id), { sent: 1 })
})

test('R23: a typed address is sent to while a large batch is being sent', async t => {
  const { db, server, deps, end } = await stage()
  t.teardown(end)
  const large = await order(db, numbered(3_000))
  const run = deliverDue(deps)
  while (server.taken.length < 300) await new Promise(resolve => setTimeout(resolve, 5))
  const at = server.taken.length
  await order(db, ['ben'], 0)
  await run
  const place = server.taken.findIndex(mail => mail.to === 'ben@larkfield.example')
  t.ok(place - at < 1_500, `it was number ${place}, asked for at ${at}`)
  t.same(await countsOf(db, large), { sent: 3_000 })
})

test('canceling and queueing keep the counts right', async t => {
  const { db, query, deps, end, batch } = await stage()
  t.teardown(end)
  const id = await order(db, ['ben', 'cleo', 'r450.dan'])
  await deliverDue(deps)
  t.equal((await cancelQueued(db, { batchId: id }, 'Cancelled')).length, 1)
  t.same(await countsOf(db, id), { sent: 2, cancelled: 1 })
  t.equal((await batch(id)).state, 'done')
  const [ben] = await query`select person_id, invitation_id, address from deliveries order by id limit 1`
  const again = {
    personId: ben!.personId,
    invitationId: ben!.invitationId,
    address: ben!.address,
    batchId: id
  }
  await queueDelivery(db, again)
  t.same(await countsOf(db, id), { sent: 2, cancelled: 1, queued: 1 })
  await deliverDue(deps)
  t.same(await countsOf(db, id), { sent: 3, cancelled: 1 })
  t.equal((await batch(id)).state, 'done')
  await queueDelivery(db, { ...again, batchId: null })
  await deliverDue(deps)
  t.same(await countsOf(db, id), { sent: 3, cancelled: 1 })
})

test('stopping releases what was not sent', async t => {
  const { db, server, transport, end } = await stage()
  t.teardown(end)
  const id = await order(db, numbered(2_000))
  const stop = new AbortController()
  const run = deliverDue(means(db, transport, { signal: stop.signal }))
  while (server.taken.length < 100) await new Promise(resolve => setTimeout(resolve, 5))
  stop.abort()
  await run
  const counts = await countsOf(db, id)
  t.equal(counts.sending, undefined)
  t.equal(counts.sent, server.taken.length)
  t.equal(counts.sent! + counts.queued!, 2_000)
})

test('the email says who invites, to what, until when, and carries the link twice', async t => {
  const { db, server, deps, end } = await stage()
  t.teardown(end)
  await order(db, ['ben'])
  await deliverDue(deps)
  const mail = await simpleParser(server.taken[0]!.text)
  t.equal(mail.subject, 'Ada invited you to join Larkfield & Söhne')
  t.equal(mail.from?.text, '"Larkfield" <rollcall@larkfield.example>')
  t.equal(mail.replyTo?.text, '"Ada" <ada@larkfield.example>')
  t.match(mail.text, /https:\/\/console\.larkfield\.example\/join\/[\w-]{43}\n/)
  t.match(server.taken[0]!.text, 'List-Unsubscribe-Post: List-Unsubscribe=One-Click')
})
