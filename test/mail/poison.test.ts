/** A mail that breaks everything that touches it. */
import { test } from 'tap'
import { invitationComposer } from '../../src/invitations/email.ts'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import type { Composer } from '../../src/mail/delivery.ts'
import { takesAll } from '../support/transports.ts'
import { countsOf, mailFrom, means, numbered, order, organization, passTime, secretKey } from './orders.ts'

const composer = invitationComposer({ baseUrl: 'https://console.larkfield.example', secretKey, mailFrom })
const isPoison = ({ address }: { address: string }) => address.startsWith('poison')

const ways: Record<string, Composer> = {
  'its composer throws': async (tx, claimed) => {
    if (claimed.some(isPoison)) throw new Error('cannot be composed')
    return composer(tx, claimed)
  },
  'its statement fails': async (tx, claimed) => {
    if (claimed.some(isPoison)) await tx.execute('select 1 / 0')
    return composer(tx, claimed)
  },
  'it cannot be written out': async (tx, claimed) => {
    const all = await composer(tx, claimed)
    for (const delivery of claimed.filter(isPoison)) {
      const made = all.get(delivery.id)!
      if (made.is === 'mail') made.mail.bytes = () => JSON.parse('cannot be composed')
    }
    return all
  }
}

for (const [how, invitation] of Object.entries(ways)) {
  test(`R21: when ${how}, one email is parked after three tries with the reason, and the others are sent`, async t => {
    const { db, query, drop } = await organization()
    t.teardown(drop)
    const large = await order(db, [...numbered(150), 'poison', ...numbered(150, 'q')])
    const typed = await order(db, ['poison.typed', 'ben'], 0)
    const transport = takesAll()
    const deps = means(db, transport, { composers: { invitation } })
    for (let tries = 1; tries <= 3; tries += 1) {
      await deliverDue(deps)
      t.same(await countsOf(db, large), { sent: 300, [tries < 3 ? 'deferred' : 'failed']: 1 }, `try ${tries}`)
      t.same(await countsOf(db, typed), { sent: 1, [tries < 3 ? 'deferred' : 'failed']: 1 })
      await passTime(db)
    }
    await deliverDue(deps)
    const rows = await query`select attempts, server_reply from deliveries where state = 'failed'`
    t.equal(rows.length, 2)
    for (const row of rows) t.match(row, { attempts: 3, serverReply: /^This email could not be composed: / })
    t.equal(transport.recipients.length, 301)
    t.same([...(await query`select distinct state from batches`)], [{ state: 'done' }])
  })
}

test('R21: an unknown kind of mail does not hold up the others', async t => {
  const { db, query, drop } = await organization()
  t.teardown(drop)
  const id = await order(db, numbered(20))
  await query`update deliveries set kind = 'reminder' where address like 'p7@%'`
  await deliverDue(means(db, takesAll()))
  t.same(await countsOf(db, id), { sent: 19, deferred: 1 })
})

test('R21: an email that cannot be composed proves nothing about an unreachable mail server', async t => {
  const { db, query, drop } = await organization()
  t.teardown(drop)
  await order(db, ['poison'])
  await query`insert into mail_transport (id, paused_since, next_probe_at, reason) values (1, now(), now(), 'away')`
  const composers = { invitation: ways['it cannot be written out']! }
  await deliverDue(means(db, takesAll(), { composers }))
  t.equal((await query`select from mail_transport where paused_since is not null`).length, 1)
})
