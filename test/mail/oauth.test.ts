/** E15: mail servers that take only XOAUTH2, and the errors when signing in cannot work. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { readConfig } from '../../src/config/env.ts'
import type { Mail } from '../../src/mail/delivery.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { type ScriptedOptions, startScripted } from '../support/scripted-smtp.ts'

const timeouts = { connectMs: 5_000, greetingMs: 5_000, commandMs: 5_000, finalDotMs: 5_000 }
const mail: Mail = {
  deliveryId: 1,
  from: 'rollcall@larkfield.example',
  to: 'ada@larkfield.example',
  bytes: () => Buffer.from('Subject: x\r\n\r\nhello\r\n')
}
type Answer = { status?: number; body: string; location?: string }

async function tokenServer(t: Test, answer: (asked: URLSearchParams, n: number) => Answer) {
  const asked: URLSearchParams[] = []
  const server = http.createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    asked.push(new URLSearchParams(text))
    const { status = 200, body, location } = answer(asked.at(-1)!, asked.length)
    response.writeHead(status, { 'content-type': 'application/json', ...(location ? { location } : {}) }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { asked, tokenUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token` }
}

const good = (_asked: URLSearchParams, n: number) => ({
  body: JSON.stringify({ access_token: `t${n}`, expires_in: 3600 })
})

async function sendWith(t: Test, oauth: { tokenUrl: string; refreshToken?: string }, script: ScriptedOptions = {}) {
  const server = await startScripted({ ehlo: ['AUTH XOAUTH2'], ...script })
  const settings = { ...server.settings, user: 'rollcall@larkfield.example', connections: 3 }
  const client = { clientId: 'id', clientSecret: 'canary-secret', scope: 'https://outlook.office365.com/.default' }
  const transport = smtpTransport({ ...settings, oauth: { ...client, ...oauth } }, { timeouts })
  t.teardown(async () => {
    await transport.close()
    await server.stop()
  })
  const outcomes = await Promise.all([mail, mail, mail].map(each => transport.send(each)))
  return { outcomes, server }
}

const tokensIn = (commands: string[]) =>
  commands
    .flatMap(line => /^AUTH XOAUTH2 (.*)$/.exec(line)?.[1] ?? [])
    .map(text => Buffer.from(text, 'base64').toString())

test('E15: the client’s token is fetched once for all connections', async t => {
  const tokens = await tokenServer(t, good)
  const { outcomes, server } = await sendWith(t, tokens)
  t.ok(outcomes.every(({ is }) => is === 'sent'))
  t.equal(tokens.asked.length, 1)
  t.equal(tokens.asked[0]!.get('grant_type'), 'client_credentials')
  t.equal(tokens.asked[0]!.get('scope'), 'https://outlook.office365.com/.default')
  t.same(new Set(tokensIn(server.commands)), new Set(['user=rollcall@larkfield.example\x01auth=Bearer t1\x01\x01']))
})

test('a refresh token is used if there is one, and replaced when it changes', async t => {
  const tokens = await tokenServer(t, (_asked, n) => ({
    body: JSON.stringify({ access_token: `t${n}`, expires_in: 3600, refresh_token: `next${n}` })
  }))
  let refused = 0
  const refuse = (at: { verb: string }) =>
    at.verb === 'AUTH' && refused++ === 0 ? '535 5.7.3 Authentication unsuccessful' : undefined
  const { outcomes } = await sendWith(t, { ...tokens, refreshToken: 'first' }, { refuse })
  t.ok(
    outcomes.every(({ is }) => is === 'sent'),
    'a refused token is renewed once'
  )
  t.same(
    tokens.asked.map(asked => [asked.get('grant_type'), asked.get('refresh_token')]),
    [
      ['refresh_token', 'first'],
      ['refresh_token', 'next1']
    ]
  )
})

const refusals: [answer: Answer, words: RegExp][] = [
  [
    { status: 401, body: '{"error":"invalid_client","error_description":"AADSTS7000215: wrong secret"}' },
    /SMTP_OAUTH_CLIENT_ID and SMTP_OAUTH_CLIENT_SECRET.*401 invalid_client: AADSTS7000215/
  ],
  [{ status: 400, body: '{"error":"invalid_scope"}' }, /SMTP_OAUTH_SCOPE/],
  [{ status: 302, body: '', location: 'http://127.0.0.1:1/' }, /redirects \(302\)/],
  [{ status: 500, body: '<html>' }, /SMTP_OAUTH_TOKEN_URL.*500/],
  [{ body: '{}' }, /has no access token/],
  [{ body: '{"access_token":"a\\r\\nb"}' }, /has no access token/],
  [{ body: `"${'x'.repeat(100_000)}"` }, /too long/]
]

test('a refusal by the token server names the setting and holds the email', async t => {
  for (const [answer, words] of refusals) {
    const { outcomes, server } = await sendWith(t, await tokenServer(t, () => answer))
    t.match(outcomes.at(-1), { is: 'transport-fault', reply: words })
    t.notMatch(JSON.stringify(outcomes), 'canary')
    t.notMatch(server.commands.join('\n'), /AUTH|MAIL/)
  }
  const { outcomes } = await sendWith(t, { tokenUrl: 'http://127.0.0.1:1/token' })
  t.match(outcomes.at(-1), { is: 'transport-fault', reply: /SMTP_OAUTH_TOKEN_URL: could not reach the token server/ })
})

test('E15: if the server offers nothing we can use, the error says what it offers and what to set', async t => {
  const offers: [ehlo: string, words: RegExp][] = [
    ['AUTH XOAUTH2', /offers only AUTH XOAUTH2 and takes no password. Set SMTP_OAUTH_TOKEN_URL/],
    ['AUTH GSSAPI NTLM', /offers only AUTH GSSAPI NTLM; Rollcall can use PLAIN, LOGIN, CRAM-MD5 or XOAUTH2/]
  ]
  for (const [ehlo, words] of offers) {
    const server = await startScripted({ ehlo: [ehlo] })
    const transport = smtpTransport({ ...server.settings, user: 'rollcall', password: 'canary' }, { timeouts })
    t.match(await transport.send(mail), { is: 'transport-fault', reply: words })
    t.notMatch(server.commands.join('\n'), 'AUTH')
    await transport.close()
    await server.stop()
  }
})

const environment = { SMTP_URL: 'smtp://rollcall@mail.example.org', MAIL_FROM: 'rollcall@larkfield.example' }
const oauth = {
  SMTP_OAUTH_TOKEN_URL: 'https://login.example.org/token',
  SMTP_OAUTH_CLIENT_ID: 'id',
  SMTP_OAUTH_CLIENT_SECRET: 's'
}

test('the settings of XOAUTH2 are checked at start', async t => {
  t.match(readConfig({ ...environment, ...oauth }).smtp, {
    user: 'rollcall',
    port: 587,
    oauth: { tokenUrl: 'https://login.example.org/token', clientId: 'id', clientSecret: 's' }
  })
  const wrong: [Record<string, string>, RegExp][] = [
    [
      { ...environment, ...oauth, SMTP_OAUTH_TOKEN_URL: 'http://login.example.org/token' },
      /SMTP_OAUTH_TOKEN_URL: must be an https/
    ],
    [{ ...environment, SMTP_OAUTH_CLIENT_ID: 'id' }, /SMTP_OAUTH_TOKEN_URL: is required/],
    [{ ...environment, ...oauth, SMTP_OAUTH_CLIENT_SECRET: '' }, /SMTP_OAUTH_CLIENT_SECRET: is required/],
    [{ ...environment, ...oauth, SMTP_URL: 'smtp://a:b@mail.example.org' }, /no password with SMTP_OAUTH/],
    [oauth, /SMTP_URL: is required/]
  ]
  for (const [given, words] of wrong) t.throws(() => readConfig(given), { message: words })
})

test('E26: EHLO names a full name, or an address in brackets (RFC 5321 §4.1.3)', async t => {
  const names: [baseUrl: string, name: string][] = [
    ['http://127.0.0.1:3000', '[127.0.0.1]'],
    ['https://192.0.2.7', '[192.0.2.7]'],
    ['http://[::1]:3000', '[IPv6:::1]'],
    ['https://[2001:db8::7]', '[IPv6:2001:db8::7]'],
    ['http://localhost:3000', '[127.0.0.1]'],
    ['https://rollcall', '[127.0.0.1]'],
    ['https://rollcall.example.org', 'rollcall.example.org']
  ]
  for (const [baseUrl, name] of names)
    t.equal(readConfig({ BASE_URL: baseUrl, SMTP_URL: 'smtp://localhost', MAIL_FROM: 'a@b.example' }).smtp!.name, name)
})
