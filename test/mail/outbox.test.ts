import fs from 'node:fs'
import path from 'node:path'
import { test } from 'tap'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { listOutbox, outboxTransport, readKept } from '../../src/mail/outbox.ts'
import { readSecretKey } from '../../src/secret-key.ts'
import { countsOf, means, numbered, order, organization } from './orders.ts'

test('without a mail server every email is kept as a file and reads as it was written', async t => {
  const folder = path.join(t.testdir(), 'outbox')
  const { db, drop } = await organization()
  t.teardown(drop)
  t.same(await listOutbox(folder, 10), { mails: [], hasMore: false })
  const id = await order(db, [...numbered(30), 'jürgen'])
  await deliverDue(means(db, outboxTransport(folder)))
  t.same(await countsOf(db, id), { sent: 31 })
  t.ok(fs.readdirSync(folder).every(name => /^\d+\.eml$/.test(name)))

  const first = await listOutbox(folder, 20)
  t.equal(first.mails.length, 20)
  t.equal(first.hasMore, true)
  t.match(first.mails[0], {
    to: 'jürgen@larkfield.example',
    subject: 'Ada invited you to join Larkfield & Söhne',
    date: Date
  })
  const second = await listOutbox(folder, 20, first.mails.at(-1)!.id)
  t.same([second.mails.length, second.hasMore], [11, false])
  t.ok(second.mails[0]!.id < first.mails.at(-1)!.id, 'newest first')

  const mail = (await readKept(folder, first.mails[0]!.id))!
  t.match(
    mail.text,
    /^Ada invited you to join Larkfield & Söhne\r\n[\s\S]*https:\/\/console\.larkfield\.example\/join\/[\w-]{43}\r\n/
  )
  t.match(mail.html, /^<!doctype html>[\s\S]*Larkfield &amp; Söhne[\s\S]*<\/html>\s*$/)
  t.equal(mail.replyTo, '"Ada" <ada@larkfield.example>')
  t.match(mail.bytes.toString(), /^From: [\s\S]*\r\n$/)
  t.notMatch(mail.bytes.toString('latin1'), /[^\r]\n/)
  t.equal(await readKept(folder, 999_999), undefined)
})

test('F17: no other user of the machine can read the outbox, even in a folder that existed before', async t => {
  const folder = path.join(t.testdir({ outbox: {} }), 'outbox')
  fs.chmodSync(folder, 0o755)
  fs.writeFileSync(path.join(folder, '900001.eml'), 'older', { mode: 0o644 })
  const { db, drop } = await organization()
  t.teardown(drop)
  await order(db, ['kim'])
  fs.writeFileSync(path.join(folder, '2.eml.part'), 'left behind', { mode: 0o666 })
  await deliverDue(means(db, outboxTransport(folder)))
  t.equal(fs.statSync(folder).mode & 0o777, 0o700)
  const kept = fs.readdirSync(folder).filter(name => name.endsWith('.eml') && name !== '900001.eml')
  t.equal(kept.length, 1)
  for (const name of kept) t.equal(fs.statSync(path.join(folder, name)).mode & 0o777, 0o600, name)
})

test('F17: nor a leftover part of an email that was readable', async t => {
  const folder = t.testdir({ '7.eml.part': 'left behind' })
  fs.chmodSync(path.join(folder, '7.eml.part'), 0o666)
  const bytes = () => Buffer.from('Subject: x\r\n\r\n')
  const outcome = await outboxTransport(folder).send({ deliveryId: 7, bytes } as never)
  t.match(outcome, { is: 'kept' })
  t.equal(fs.statSync(path.join(folder, '7.eml')).mode & 0o777, 0o600)
})

test('F17: only its owner can read the generated key, even after a restore made it readable', async t => {
  const folder = t.testdir({})
  const key = readSecretKey(folder)
  const file = path.join(folder, 'secret.key')
  t.equal(fs.statSync(file).mode & 0o777, 0o600)
  fs.chmodSync(file, 0o644)
  t.same(readSecretKey(folder), key)
  t.equal(fs.statSync(file).mode & 0o777, 0o600)
})
