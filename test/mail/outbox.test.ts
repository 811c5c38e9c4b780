import fs from 'node:fs'
import path from 'node:path'
import { test } from 'tap'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { listOutbox, outboxTransport, readKept } from '../../src/mail/outbox.ts'
import { countsOf, means, numbered, order, organization } from './orders.ts'

test('without a mail server every mail is kept as a file and reads as it was written', async t => {
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
