/** R18: a restored copy of the database sends nothing again until an owner decides. */
import { randomBytes } from 'node:crypto'
import { type Test, test } from 'tap'
import { readConfig } from '../../src/config.ts'
import { connect, type Database } from '../../src/db/client.ts'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { decideCopy, lookForCopy } from '../../src/mail/origin.ts'
import { readHold } from '../../src/mail/queue/origin-store.ts'
import { startApp } from '../support/app.ts'
import { takesAll } from '../support/transports.ts'
import { countsOf, means, numbered, order, organization, secretKey, silent } from './orders.ts'

const config = readConfig({})
const depsOf = (db: Database, key = secretKey) => ({ db, config, secretKey: key })

/** A real clone, as a restored dump would be. */
async function cloneOf(t: Test, db: Database): Promise<Database> {
  const [row] = await db.$client`select current_database() as name`
  const name = `t_${randomBytes(6).toString('hex')}`
  const admin = connect(process.env.TEST_DATABASE_URL!, { connections: 1 })
  await db.$client.end({ timeout: 2 })
  await admin.$client.unsafe(`create database ${name} template ${row!.name} strategy file_copy`)
  const url = new URL(process.env.TEST_DATABASE_URL!)
  url.pathname = `/${name}`
  const copy = connect(url.href, { connections: 5 })
  t.teardown(async () => {
    await copy.$client.end({ timeout: 2 })
    await admin.$client.unsafe(`drop database if exists ${name} with (force)`)
    await admin.$client.end()
  })
  return copy
}

async function copyWithThree(t: Test) {
  const { db, drop } = await organization()
  t.teardown(drop)
  t.equal(await lookForCopy(depsOf(db), silent), false, 'the first start')
  t.equal(await lookForCopy(depsOf(db), silent), false, 'another start')
  t.equal(await lookForCopy(depsOf(db, randomBytes(32)), silent), false, 'another key on the same database')
  await lookForCopy(depsOf(db), silent)
  const batch = await order(db, numbered(3))
  const copy = await cloneOf(t, db)
  t.equal(await lookForCopy(depsOf(copy), silent), true, 'a copy')
  t.match(await readHold(copy), { mails: 3 })
  const transport = takesAll()
  await deliverDue(means(copy, transport))
  t.same(transport.recipients, [], 'nothing is sent')
  t.equal(await lookForCopy(depsOf(copy), silent), true, 'nor after another start')
  return { copy, batch, transport }
}

test('R18: mail of a copy waits until an owner lets it be sent', async t => {
  const { copy, batch, transport } = await copyWithThree(t)
  t.equal(await decideCopy(depsOf(copy), 1, 'send'), true)
  t.equal(await decideCopy(depsOf(copy), 1, 'send'), false, 'decided once')
  await deliverDue(means(copy, transport))
  t.same(await countsOf(copy, batch), { sent: 3 })
  t.equal(await lookForCopy(depsOf(copy), silent), false, 'it sends by itself from now on')
  t.same(await copy.$client`select kind from events where kind like 'copy%' order by id`, [
    { kind: 'copy-found' },
    { kind: 'copy-sends' }
  ])
})

test('R18: or discards it, what the original had in hand too', async t => {
  const { copy, batch, transport } = await copyWithThree(t)
  await copy.$client`update deliveries set state = 'sending', attempts = 1, lease_until = now() + interval '1 minute'
    where id = (select min(id) from deliveries)`
  await copy.$client`update people set delivery_state = 'sending' where delivery_id = (select min(id) from deliveries)`
  await copy.$client`update batches set mails_queued = 2, mails_sending = 1`
  t.equal(await decideCopy(depsOf(copy), 1, 'discard'), true)
  await deliverDue(means(copy, transport))
  t.same(transport.recipients, [])
  t.same(await countsOf(copy, batch), { cancelled: 3 })
})

test('R18: another server is a copy, a failover to a standby is not, and an unreadable identity falls back to the key', async t => {
  const { db, drop } = await organization()
  t.teardown(drop)
  await lookForCopy(depsOf(db), silent)
  await db.$client`update mail_origin set cluster = null`
  t.equal(await lookForCopy(depsOf(db), silent), false, 'the same key')
  await db.$client`update mail_origin set cluster = null`
  t.equal(await lookForCopy(depsOf(db, randomBytes(32)), silent), true, 'another key')
  await decideCopy(depsOf(db), 1, 'send')
  await db.$client`update mail_origin set cluster = '7000000000000000000'`
  t.equal(await lookForCopy(depsOf(db), silent), true, 'another server')
})

test('R18: the dashboard and Settings › Mail ask, and only an owner decides', async t => {
  const { db, browser, close } = await startApp()
  t.teardown(close)
  const [ada, ben] = [await browser('ada'), await browser('ben')]
  t.notMatch((await ada.get('/')).body, 'This database is a copy')
  t.equal((await ada.post('/settings/mail/copy', { act: 'send' })).statusCode, 409)
  await db.$client`insert into mail_origin (database_oid, key_print, held_since) values ('1', 'x', now())`
  t.match((await ben.get('/')).body, 'This database is a copy. Emails are on hold.')
  t.match((await ada.get('/settings/mail')).body, 'value="discard"')
  t.equal((await ben.post('/settings/mail/copy', { act: 'send' })).statusCode, 403)
  t.equal((await ada.post('/settings/mail/copy', { act: 'x' })).statusCode, 422)
  t.equal((await ada.post('/settings/mail/copy', { act: 'discard' })).statusCode, 303)
  t.notMatch((await ada.get('/')).body, 'This database is a copy')
})
