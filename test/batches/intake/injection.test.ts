import t from 'tap'
import { smtpTransport } from '../../../src/mail/smtp.ts'
import { domains, startApp } from '../../support/app.ts'
import { countsOf, linesOf, upload } from '../../support/batches.ts'
import { aliveIn } from '../../support/html.ts'
import { startMailServer } from '../../support/smtp-server.ts'

const { db, browser, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

const evil = 'evil@evil.example'
/** Each of these once reached another person through some mail program or library. */
const routes = [
  `kim@larkfield.example;${evil}`,
  `kim@larkfield.example,${evil}`,
  `kim@larkfield.example ${evil}`,
  `${evil},kim@larkfield.example`,
  `<${evil}>kim@larkfield.example`,
  `kim@larkfield.example<${evil}>`,
  `"${evil}" <kim@larkfield.example>`,
  `kim@larkfield.example\vRCPT TO:<${evil}>`,
  `kim@larkfield.example\u2028Bcc: ${evil}`,
  `kim@larkfield.example\u0085Bcc: ${evil}`,
  `kim@larkfield.example%0d%0aBcc:${evil}`,
  `kim@larkfield.example\\r\\nBcc:${evil}`,
  `@larkfield.example:${evil}`,
  `@evil.example:kim@larkfield.example`,
  `evil%evil.example@larkfield.example`,
  `evil.example!evil@larkfield.example`,
  `kim@larkfield.example@evil.example`,
  `evil@evil.example@larkfield.example`,
  `kim@evil.example(@larkfield.example)`,
  `kim(@evil.example)@larkfield.example`,
  `=?utf-8?q?evil=40evil.example=3e?=@larkfield.example`,
  `kim@larkfield.example.evil.example`,
  `kim@larkfield。example`,
  `kim@larkfield.example\u200b.evil.example`,
  `kim@evil.example/@larkfield.example`,
  `kim@[larkfield.example]`,
  `group: kim@larkfield.example, ${evil};`,
  `kim@larkfield.example NOTIFY=SUCCESS ORCPT=rfc822;${evil}`,
  `kim@larkfield.example> SIZE=1 <${evil}`,
  `"kim@larkfield.example\\"@evil.example`,
  `ｅｖｉｌ@larkfield.example`,
  `kim@ｌａｒｋｆｉｅｌｄ.example`
]

t.test('S9: with any line, an email goes to one stored address of the organization, and to no other', async t => {
  const server = await startMailServer()
  t.teardown(server.stop)
  const transport = smtpTransport(server.settings)
  t.teardown(() => transport.close())
  const id = await upload(ben, [...routes, 'plain@larkfield.example'])
  await work(transport)
  const counts = await countsOf(db, id)
  t.equal(counts.state, 'done')
  const stored = [...(await db.$client`select address from deliveries order by id`)].map(row => row.address)
  t.same(server.mails.map(({ to }) => to).toSorted(), stored.map(address => [address]).toSorted())
  t.ok(stored.includes('plain@larkfield.example'))
  for (const { to, raw } of server.mails) {
    t.ok(
      domains.some(domain => to[0]!.endsWith(`@${domain}`)),
      to[0]!
    )
    const head = raw.toString('utf8').split('\r\n\r\n')[0]!
    t.notMatch(head, /^(b?cc|resent-[a-z]+|apparently-to):/im)
    t.equal(head.match(/^to:/gim)!.length, 1)
    t.notMatch(head.replace(/\r\n\s+/g, ' '), /^to:.*[,;]/im)
  }
  const lines = await linesOf(db, id)
  t.equal(lines.length, routes.length + 1)
  t.same(
    lines.filter(({ text, verdict }) => text.includes(evil) && verdict === 'invite'),
    []
  )
})

/** Each of these would act if a page printed it unescaped. */
const payloads = [
  '<x-canary onclick=alert(1)>',
  '"><x-canary>',
  "'><x-canary>",
  '</td></tr></table><x-canary>',
  '</title><x-canary>',
  '</textarea></script><x-canary>',
  '<img src=x onerror=x-canary>',
  '" onmouseover="x-canary" x="',
  "' autofocus onfocus='x-canary' x='",
  '" data-hx-get="/x-canary" data-hx-trigger="load',
  '" hx-get="/x-canary" hx-trigger="load" x="',
  'javascript:x-canary',
  '<svg/onload=x-canary>',
  '<%= 1111*7 %><x-canary>',
  '{{1111*7}}<x-canary>',
  '&lt;x-canary&gt;',
  '&#60;x-canary&#62;',
  '\u0000'.replace('\u0000', '\u0001<x-canary>'),
  '<!--<x-canary>-->',
  '<a href="//evil.example">x-canary</a>'
]
const inAddresses = payloads
  .map(payload => `${payload.replaceAll(/[^!#-'*+/-9=?A-Z^-~-]/g, '')}@larkfield.example`)
  .filter((address, index, all) => all.indexOf(address) === index)

t.test('S16: no line or file name becomes markup on a page', async t => {
  const lines = [
    ...payloads,
    ...payloads.map(payload => `${payload}@larkfield.example`),
    ...payloads.map(payload => `kim@${payload}.example`),
    ...inAddresses
  ]
  for (const payload of payloads) {
    // browsers write quotes in a file's name as %22, other clients do not
    const name = `${payload.replaceAll('"', '%22').replaceAll('\u0001', '')}.txt`
    const id = await upload(ben, payload === payloads[0] ? lines : `kim@${payload}`, { action: 'check', name })
    await work()
    for (const query of [
      '',
      '?verdict=malformed',
      '?verdict=foreign',
      '?verdict=invite',
      '?after=45',
      '?problems=45'
    ]) {
      const { body, statusCode } = await ben.get(`/batches/${id}${query}`)
      t.equal(statusCode, 200)
      t.same(aliveIn(body, 'x-canary'), [])
    }
    if (payload === payloads[0]) {
      const wrong = await ben.post(`/batches/${id}/corrections`, { line: '1', 'address-1': payloads.join('') })
      t.equal(wrong.statusCode, 422)
      t.same(aliveIn(wrong.body, 'x-canary'), [])
      await ben.post(`/batches/${id}/sending`)
      await work()
    }
  }
  const pages = [
    '/',
    '/batches',
    '/activity',
    '/people',
    ...payloads.map(each => `/people?q=${encodeURIComponent(each.replace('\u0001', ''))}`)
  ]
  for (const page of pages) {
    const { body, statusCode } = await ben.get(page)
    t.equal(statusCode, 200)
    t.same(aliveIn(body, 'x-canary'), [])
  }
  for (const { id } of await db.$client`select id from people`) {
    t.same(aliveIn((await ben.get(`/people/${id}`)).body, 'x-canary'), [])
  }
})
