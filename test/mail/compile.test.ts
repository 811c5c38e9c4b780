import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { test } from 'tap'
import { compileMail, type Filling, type Frame, renderMail } from '../../src/mail/compile.ts'

const frame: Frame = {
  kind: 'invitation',
  language: 'en',
  direction: 'ltr',
  from: { name: 'Larkfield', address: 'rollcall@larkfield.example' },
  replyTo: { name: 'Ada', address: 'ada@larkfield.example' },
  fixed: { organization: 'Larkfield', inviter: 'Ada' },
  varying: ['address', 'link', 'expires', 'optOut']
}

const filling: Filling = {
  to: { name: 'Ben', address: 'ben@larkfield.example' },
  messageId: '1.abc@larkfield.example',
  date: new Date('2026-11-24T10:00:00Z'),
  optOut: 'https://console.larkfield.example/unsubscribe/2.x',
  feedbackId: '7:invitation:rollcall:larkfield.example',
  values: {
    address: 'ben@larkfield.example',
    link: `https://console.larkfield.example/join/${'x'.repeat(43)}`,
    expires: '8 December 2026 at 10:00 UTC',
    optOut: 'https://console.larkfield.example/unsubscribe/2.x'
  }
}

const words = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  fc.constantFrom(
    'Söhne & <b>Töchter</b>',
    "O'Hara",
    '=?utf-8?q?x?=',
    '.',
    '..',
    'a=b',
    'שלום',
    '日本語'.repeat(30),
    'trailing '
  )
)

const settled = (text: string) => text.replace(/\r\n/g, '\n').trimEnd()

test('S9: whatever the names are, the email decodes to the rendered template and gains no header', async t => {
  const names = Object.keys(parseHeaders(compileMail(frame)(filling)))
  await fc.assert(
    fc.asyncProperty(words, words, words, async (organization, inviter, expires) => {
      const own = {
        ...frame,
        fixed: { organization, inviter },
        replyTo: { name: inviter, address: 'ada@larkfield.example' }
      }
      const values = { ...filling.values, expires }
      const bytes = compileMail(own)({ ...filling, values })
      const lines = bytes.toString('latin1').split('\r\n')
      const parsed = await simpleParser(bytes, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true })
      const rendered = renderMail(own, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value])))
      return (
        settled(parsed.text ?? '') === settled(rendered.text) &&
        settled(String(parsed.html)) === settled(rendered.html) &&
        lines.every(line => line.length <= 998 && !/[\r\n\0]/.test(line)) &&
        lines.slice(lines.indexOf('')).every(line => line.length <= 76 && !line.startsWith('.')) &&
        Object.keys(parseHeaders(bytes)).join() === names.join()
      )
    }),
    { numRuns: 300 }
  )
  t.pass()
})

function parseHeaders(bytes: Buffer): Record<string, string> {
  const head = bytes
    .toString('utf8')
    .split('\r\n\r\n')[0]!
    .replace(/\r\n[ \t]/g, ' ')
  return Object.fromEntries(
    head.split('\r\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
  )
}

test('S9: line breaks in names, ids and links open no header', t => {
  const evil = 'x\r\nBcc: evil@evil.example\r\n\r\nhello'
  const own = {
    ...frame,
    from: { name: evil, address: 'a@b.example' },
    replyTo: { name: evil, address: `ada@larkfield.example\r\nX: y` }
  }
  const bytes = compileMail({ ...own, fixed: { organization: evil, inviter: evil } })({
    ...filling,
    to: { name: evil, address: 'ben@larkfield.example' },
    messageId: evil,
    optOut: evil,
    feedbackId: evil
  })
  const headers = parseHeaders(bytes)
  t.notOk(Object.keys(headers).some(name => /^(bcc|x)$/i.test(name)))
  t.equal(Object.keys(headers).length, Object.keys(parseHeaders(compileMail(frame)(filling))).length)
  t.end()
})

test('the headers prevent automatic replies and let the reader opt out', t => {
  t.match(parseHeaders(compileMail(frame)(filling)), {
    From: '"Larkfield" <rollcall@larkfield.example>',
    'Reply-To': '"Ada" <ada@larkfield.example>',
    To: '"Ben" <ben@larkfield.example>',
    Subject: 'Ada invited you to join Larkfield',
    Date: 'Tue, 24 Nov 2026 10:00:00 +0000',
    'Message-ID': '<1.abc@larkfield.example>',
    'MIME-Version': '1.0',
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    'List-Unsubscribe': '<https://console.larkfield.example/unsubscribe/2.x>',
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'Feedback-ID': '7:invitation:rollcall:larkfield.example',
    'Content-Type': /^multipart\/alternative; boundary=/
  })
  t.end()
})

test('the page is small, says its language, loads nothing and rewrites no link', t => {
  const { html, text } = renderMail(frame, filling.values)
  t.ok(Buffer.byteLength(html) < 20_000)
  t.match(html, /^<!doctype html>\n<html lang="en" dir="ltr">/)
  t.notMatch(html, /<img|<script|src=|url\(/)
  t.equal(html.split(filling.values.link!).length - 1, 3, 'one button, the bare address and its link')
  t.match(text, filling.values.link!)
  t.throws(() => compileMail({ ...frame, varying: ['address'] }), /needs "/)
  t.end()
})

test('without an inviter it mentions an admin', t => {
  const { subject, text } = renderMail({ ...frame, fixed: { organization: 'Larkfield', inviter: '' } }, filling.values)
  t.equal(subject, 'You are invited to join Larkfield')
  t.match(text, 'an admin at Larkfield')
  t.end()
})
