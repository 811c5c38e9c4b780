/** One address that a mail server always refuses in the words of a limit: it fails in the end and delays no other. */
import { test } from 'tap'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { readPause } from '../../src/mail/store.ts'
import { startScripted } from '../support/scripted-smtp.ts'
import { countsOf, means, numbered, order, organization, passTime } from './orders.ts'

const timeouts = { connectMs: 5_000, greetingMs: 5_000, commandMs: 5_000, finalDotMs: 5_000 }

const deeds: [deed: string, words: RegExp][] = [
  ['r453', /Too many recipients/],
  ['r401', /Too many messages for this session/],
  ['r421', /too many connections/],
  ['r471', /slow down/],
  ['r431', /Insufficient system storage/],
  ['r530', /STARTTLS/],
  ['e421', /shutting down/],
  ['e432', /Concurrent connections limit/]
]

for (const connections of [1, 4])
  for (const [deed, words] of deeds)
    test(`one address always gets "${words.source}": the others arrive over ${connections} connections, and it fails in the end`, async t => {
      const { db, query, drop } = await organization()
      const server = await startScripted()
      const transport = smtpTransport({ ...server.settings, connections }, { timeouts })
      t.teardown(async () => {
        await transport.close()
        await server.stop()
        await drop()
      })
      const run = means(db, transport)
      const suspect = async () =>
        (await query`select state, attempts, server_reply from deliveries where address ~ ${`^${deed}`}`)[0]!
      // typed: in front of all others each time that it is due
      const typed = await order(db, [`${deed}.x`], 0)
      const batch = await order(db, numbered(30))
      await deliverDue(run)
      t.same(await countsOf(db, batch), { sent: 30 }, 'in the same run')
      t.match(await suspect(), { state: 'queued', attempts: 0, serverReply: words }, 'not its fault as far as we know')
      for (let i = 0; i < 6 && (await suspect()).state === 'queued'; i++) {
        await passTime(db)
        const more = await order(db, numbered(3, `more${i}.`))
        await deliverDue(run)
        t.same(await countsOf(db, more), { sent: 3 }, 'nor are later ones delayed')
      }
      t.match(await suspect(), { state: 'deferred', attempts: 1, serverReply: words })
      t.equal(await readPause(db), undefined, 'the mail server was never out of reach')
      t.same(await query`select * from mail_servers`, [], 'and no limit was learned')
      await passTime(db)
      await deliverDue(run)
      t.match(await suspect(), { state: 'deferred', attempts: 2 }, 'each further try counts')
      await query`update deliveries set queued_at = now() - interval '3 days'`
      await passTime(db)
      await deliverDue(run)
      t.match(await suspect(), { state: 'failed', attempts: 3, serverReply: words })
      t.same(await countsOf(db, typed), { failed: 1 })
    })
