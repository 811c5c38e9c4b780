import { randomUUID } from 'node:crypto'
import { encodeQuotedPrintable } from '../lib/text/quoted-printable.ts'
import type { Mail } from './delivery.ts'
import { encodeMailbox, encodeText, headerDate, type Mailbox } from './headers.ts'

/** A short email that only says that email works. */
export function testEmail(from: Mailbox, to: Mailbox, place: string): Mail {
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const text = `This is a test from Rollcall at ${place}.\r\nIf you can read it, Rollcall can send you email.\r\n`
  const lines = [
    `From: ${encodeMailbox(from)}`,
    `To: ${encodeMailbox(to)}`,
    `Subject: ${encodeText('Test from Rollcall')}`,
    `Date: ${headerDate(new Date())}`,
    `Message-ID: <test.${randomUUID()}@${domain}>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable'
  ]
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${encodeQuotedPrintable(text)}`)
  return { deliveryId: 0, from: from.address, to: to.address, bytes: () => bytes }
}
