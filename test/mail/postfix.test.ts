/** A real postfix with limits: everything is taken once, and no try is counted for what is not the mail's fault. */
import { type Test, test } from 'tap'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { readPause } from '../../src/mail/store.ts'
import { hasPostfix, startPostfix } from '../support/postfix.ts'
import { countsOf, means, numbered, order, organization } from './orders.ts'

const skip = hasPostfix() ? false : 'needs postfix, installed and run as root'

async function stage(t: Test, limits: string[]) {
  const { db, query, drop } = await organization()
  const server = await startPostfix(limits)
  const transport = smtpTransport({ ...server.settings, connections: 10 })
  t.teardown(async () => {
    await transport.close()
    await server.stop()
    await drop()
  })
  const tries = async () => (await query`select max(attempts) as most from deliveries`)[0]!.most
  return { db, query, deps: means(db, transport), tries }
}

test('postfix with smtpd_client_connection_count_limit: the allowed connections keep sending', { skip }, async t => {
  const { db, query, deps, tries } = await stage(t, ['smtpd_client_connection_count_limit = 3'])
  const batch = await order(db, numbered(100))
  await deliverDue(deps)
  t.same(await countsOf(db, batch), { sent: 100 })
  t.equal(await tries(), 1)
  t.equal(await readPause(db), undefined)
  const [known] = await query`select connections, reply from mail_servers`
  t.match(known, { reply: /too many connections/ })
  t.ok(known!.connections >= 1 && known!.connections <= 3, `${known!.connections} at once`)
})

test('postfix with smtpd_client_connection_rate_limit: open connections keep sending', { skip }, async t => {
  const { db, deps, tries } = await stage(t, ['smtpd_client_connection_rate_limit = 5'])
  const batch = await order(db, numbered(100))
  await deliverDue(deps)
  t.same(await countsOf(db, batch), { sent: 100 })
  t.equal(await tries(), 1)
})

test('postfix with smtpd_client_message_rate_limit: the rest waits, and no try is counted', { skip }, async t => {
  const { db, query, deps, tries } = await stage(t, ['smtpd_client_message_rate_limit = 20'])
  const batch = await order(db, numbered(60))
  await deliverDue(deps)
  const { sent = 0, queued = 0, ...others } = await countsOf(db, batch)
  t.same(others, {})
  t.equal(sent, 20)
  t.equal(queued, 40)
  t.equal(await tries(), 1)
  const [known] = await query`select per_minute, rest_until > now() as rests, reply from mail_servers`
  t.match(known, { rests: true, reply: /too much mail/ })
})

test('postfix with smtpd_recipient_limit: an email has one recipient, so no limit is met', { skip }, async t => {
  const { db, deps } = await stage(t, ['smtpd_recipient_limit = 1'])
  const batch = await order(db, numbered(30))
  await deliverDue(deps)
  t.same(await countsOf(db, batch), { sent: 30 })
})
