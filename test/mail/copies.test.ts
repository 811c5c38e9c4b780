/** R18: a restored copy of the database sends nothing again until an owner decides. */
import { randomBytes } from 'node:crypto'
import { type Test, test } from 'tap'
import { readConfig } from '../../src/config/env.ts'
import { connect, type Database, transaction } from '../../src/db/client.ts'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { detectCopy, stepHold } from '../../src/mail/origin.ts'
import { readHold } from '../../src/mail/queue/origin-store.ts'
import { cancelQueued } from '../../src/mail/store.ts'
import { decideMailOfCopy } from '../../src/settings/change-mail.ts'
import { startApp } from '../support/app.ts'
import { takesAll } from '../support/transports.ts'
import { countsOf, means, numbered, order, organization, passTime, secretKey, silent } from './orders.ts'

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

const decide = (db: Database, act: 'send' | 'discard') => decideMailOfCopy(depsOf(db), 1, act, silent)

async function copyWithThree(t: Test) {
  const { db, drop } = await organization()
  t.teardown(drop)
  t.equal(await detectCopy(depsOf(db), silent), false, 'the first start')
  t.equal(await detectCopy(depsOf(db), silent), false, 'another start')
  t.equal(await detectCopy(depsOf(db, randomBytes(32)), silent), false, 'another key on the same database')
  await detectCopy(depsOf(db), silent)
  const batch = await order(db, numbered(3))
  // the original had claimed one, had one to try again, and one without a batch, like a resent invitation
  await db.$client`update deliveries set state = 'sending', attempts = 1, lease_until = now() + interval '1 minute'
    where address like 'p0@%'`
  await db.$client`update deliveries set state = 'deferred', attempts = 2, next_attempt_at = now() + interval '1 hour'
    where address like 'p1@%'`
  await db.$client`update people p set delivery_state = d.state from deliveries d where d.id = p.delivery_id`
  await db.$client`update batches set mails_queued = 1, mails_sending = 1, mails_deferred = 1`
  const [single] = await db.$client`
    insert into deliveries (person_id, invitation_id, address)
    select person_id, invitation_id, address from deliveries where address like 'p2@%' returning id`
  await db.$client`update people set delivery_id = ${single!.id} where email like 'p2@%'`
  const copy = await cloneOf(t, db)
  t.equal(await detectCopy(depsOf(copy), silent), true, 'a copy')
  t.same(await countsOf(copy, batch), { held: 3 }, 'what waits is held, and what the original had claimed')
  t.match(await readHold(copy), { mails: 4, decision: null })
  const transport = takesAll()
  await deliverDue(means(copy, transport))
  t.same(transport.recipients, [], 'nothing is sent')
  t.equal(await detectCopy(depsOf(copy), silent), true, 'nor after another start')
  return { copy, batch, transport }
}

const kindsOf = async (db: Database) =>
  (await db.$client`select kind from events where kind like 'copy%' or kind like 'batch%' order by id`).map(
    row => row.kind
  )

test('R18: mail of a copy is held until an owner sends it', async t => {
  const { copy, batch, transport } = await copyWithThree(t)
  t.equal(await decide(copy, 'send'), true)
  t.equal(await decide(copy, 'send'), false, 'decided once')
  await passTime(copy)
  await deliverDue(means(copy, transport))
  t.same(await countsOf(copy, batch), { sent: 3 })
  t.equal(transport.recipients.length, 4)
  const [sent] = await copy.$client`select may_have_arrived from deliveries where address like 'p0@%'`
  t.equal(sent!.mayHaveArrived, true, 'the original may have sent it')
  t.equal(await detectCopy(depsOf(copy), silent), false, 'it sends by itself from now on')
  t.same(await kindsOf(copy), ['copy-found', 'copy-sends'])
})

test('R18: or discards it, with what the original had claimed', async t => {
  const { copy, batch, transport } = await copyWithThree(t)
  t.equal(await decide(copy, 'discard'), true)
  await deliverDue(means(copy, transport))
  t.same(transport.recipients, [])
  t.same(await countsOf(copy, batch), { cancelled: 3 })
  const [{ state }] = (await copy.$client`select state from batches where id = ${batch}`) as never as [Batch]
  t.equal(state, 'done', 'nothing of the batch is open')
})

interface Batch {
  state: string
}

test('R18: new mail of an undecided copy is held too, and can be canceled', async t => {
  const { copy, transport } = await copyWithThree(t)
  const batch = await order(copy, numbered(2, 'new'), 0)
  await stepHold(copy)
  t.same(await countsOf(copy, batch), { held: 2 })
  const called = await transaction(copy, tx => cancelQueued(tx, { batchId: batch }, 'not this one', 1))
  t.equal(called.length, 1)
  t.same(await countsOf(copy, batch), { held: 1, cancelled: 1 })
  await decide(copy, 'send')
  await deliverDue(means(copy, transport))
  t.same(await countsOf(copy, batch), { sent: 1, cancelled: 1 })
})

/** A decision that was not carried out yet. */
const killedAfterDiscarding = (db: Database) => db.$client`update mail_origin set decision = 'discard',
  database_oid = (select oid from pg_database where datname = current_database())`

test('R18: what an owner decided is carried out in steps, over a restart, and by no copy of it', async t => {
  const { copy, batch, transport } = await copyWithThree(t)
  await order(copy, ['new'])
  await killedAfterDiscarding(copy)
  t.equal(await stepHold(copy, 2), true)
  t.match(await countsOf(copy, batch), { held: 3 }, 'first what still waits')
  t.equal(await stepHold(copy, 2), true)
  const second = await cloneOf(t, copy)
  t.equal(await detectCopy(depsOf(second), silent), true)
  t.match(await readHold(second), { decision: null, mails: 3 }, 'a copy of the copy asks again')
  await deliverDue(means(second, transport))
  await killedAfterDiscarding(second)
  t.equal(await detectCopy(depsOf(second), silent), true, 'a restart carries it out')
  t.equal(await readHold(second), undefined)
  t.same(await countsOf(second, batch), { cancelled: 3 })
  await deliverDue(means(second, transport))
  t.same(transport.recipients, [])
})

test('R18: after discarding, a list that was still being judged queues no more mail until someone resumes it', async t => {
  const { copy, transport } = await copyWithThree(t)
  const sending = await order(copy, numbered(2, 'judged'), 1, 'checking')
  const checking = await order(copy, [], 1, 'checking')
  await copy.$client`update batches set action = 'check' where id = ${checking}`
  await decide(copy, 'discard')
  const rows = await copy.$client`select id, state, stop_reason from batches where id >= ${sending} order by id`
  t.match(rows, [
    { state: 'stopped', stopReason: /This database is a copy/ },
    { state: 'checking', stopReason: null }
  ])
  t.same(await kindsOf(copy), ['copy-found', 'copy-discarded', 'batch-stopped'])
  await deliverDue(means(copy, transport))
  t.same(transport.recipients, [])
})

test('R18: another server is a copy, a failover to a standby is not, and an unreadable identity falls back to the key', async t => {
  const { db, drop } = await organization()
  t.teardown(drop)
  await detectCopy(depsOf(db), silent)
  await db.$client`update mail_origin set cluster = null`
  t.equal(await detectCopy(depsOf(db), silent), false, 'the same key')
  await db.$client`update mail_origin set cluster = null`
  t.equal(await detectCopy(depsOf(db, randomBytes(32)), silent), true, 'another key')
  await decide(db, 'send')
  await db.$client`update mail_origin set cluster = '7000000000000000000'`
  t.equal(await detectCopy(depsOf(db), silent), true, 'another server')
})

test('R18: held mail is shown as such everywhere, and only an owner decides', async t => {
  const { db, browser, work, close } = await startApp()
  t.teardown(close)
  const [ada, ben] = [await browser('ada'), await browser('ben')]
  t.notMatch((await ada.get('/')).body, 'This database is a copy')
  t.equal((await ada.post('/settings/mail/copy', { act: 'send' })).statusCode, 409)
  await db.$client`insert into mail_origin (database_oid, key_print, held_since) values ('1', 'x', now())`
  const batch = await ben.post('/invite', { email: ['kim@larkfield.example', 'lou@larkfield.example', '', '', ''] })
  await work()
  t.match((await ben.get('/')).body, /This database is a copy\. Emails are on hold\.[\s\S]*2 emails held/)
  const page = (await ben.get(batch.headers.location!)).body
  t.match(page, '2 invitations on hold</h1>')
  t.match(page, 'data-count="held" data-value="2"')
  t.match(page, '2 emails are held until an owner decides in Settings › Mail.')
  t.match((await ben.get(`${batch.headers.location}?delivery=held`)).body, 'lou@larkfield.example')
  t.match((await ben.get(`${batch.headers.location}/lines.csv`)).body, /kim@larkfield\.example,invite,.*,held,/)
  const people = (await ben.get('/people?delivery=held')).body
  t.equal(people.match(/data-delivery="held"/g)?.length, 2)
  t.match((await ben.get('/people.csv?delivery=held')).body, /kim@larkfield\.example.*,held/)
  t.match((await ben.get('/metrics')).body, 'rollcall_deliveries{state="held"} 2')
  t.match((await ada.get('/settings/mail')).body, 'value="discard"')
  t.equal((await ben.post('/settings/mail/copy', { act: 'send' })).statusCode, 403)
  t.equal((await ada.post('/settings/mail/copy', { act: 'x' })).statusCode, 422)
  t.equal((await ada.post('/settings/mail/copy', { act: 'discard' })).statusCode, 303)
  t.notMatch((await ada.get('/')).body, 'This database is a copy')
  t.match((await ben.get(batch.headers.location!)).body, 'data-count="cancelled" data-value="2"')
})
