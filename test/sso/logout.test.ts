/** Back-channel logout: which logout tokens end sessions. */
import t from 'tap'
import type { Fields } from '../support/app.ts'
import { type Claims, newKey, signSymmetric, signWith, unsigned } from '../support/provider.ts'
import { startSso, verified } from '../support/sso.ts'

const sso = await startSso(t)
const { provider, come, db, logged } = sso
const event = 'http://schemas.openid.net/event/backchannel-logout'
const now = () => Math.floor(Date.now() / 1000)
let number = 0
const right = (more: Claims = {}): Claims => {
  number += 1
  const events = { [event]: {} }
  return {
    iss: provider.issuer,
    aud: provider.clientId,
    iat: now(),
    exp: now() + 120,
    jti: `j${number}`,
    sub: 'sub-ben',
    events,
    ...more
  }
}
const { sign } = provider.kit
const typed = { typ: 'logout+jwt' }
const other = await newKey('RS256', 'rsa')
const rsa = { alg: 'RS256', kid: 'rsa', ...typed }

async function send(token: string) {
  const visitor = await sso.browser()
  return visitor.post('/sign-in/oidc/logout', { logout_token: token }, { origin: 'https://elsewhere.example' })
}
async function signedIn() {
  provider.signsIn('sub-ben', verified('ben@larkfield.example'))
  return (await come()).visitor
}

const wrong: [string, () => string | Promise<string>][] = [
  ['another key', () => signWith(other, right(), rsa)],
  ['alg none', () => unsigned(right(), typed)],
  ['HS256 with the client secret', () => signSymmetric(provider.clientSecret, right(), typed)],
  ['PS256 where RS256 is set', () => sign(right(), { ...typed, alg: 'PS256' })],
  ['ES256 where RS256 is set', () => sign(right(), { ...typed, alg: 'ES256', kid: 'ec' })],
  ['an unknown kid', () => sign(right(), { ...typed, kid: 'unknown' })],
  ['another issuer', () => sign(right({ iss: 'https://evil.example' }), typed)],
  ['another audience', () => sign(right({ aud: 'another' }), typed)],
  ['issued ten minutes ago', () => sign(right({ iat: now() - 600 }), typed)],
  ['issued in an hour', () => sign(right({ iat: now() + 3600, exp: now() + 7200 }), typed)],
  ['iat missing', () => sign(right({ iat: undefined }), typed)],
  ['expired', () => sign(right({ exp: now() - 100 }), typed)],
  ['jti missing', () => sign(right({ jti: undefined }), typed)],
  ['jti no text', () => sign(right({ jti: 7 }), typed)],
  ['events missing', () => sign(right({ events: undefined }), typed)],
  ['events of another kind', () => sign(right({ events: { 'https://example.org/other': {} } }), typed)],
  ['events a text', () => sign(right({ events: event }), typed)],
  ['with a nonce', () => sign(right({ nonce: 'x' }), typed)],
  ['neither sid nor sub', () => sign(right({ sub: undefined }), typed)],
  ['the type of an access token', () => sign(right(), { typ: 'at+jwt' })],
  [
    'an ID token',
    () =>
      sign({ iss: provider.issuer, aud: provider.clientId, iat: now(), exp: now() + 60, sub: 'sub-ben', nonce: 'n' })
  ],
  ['no token', () => 'not a token'],
  ['empty', () => ''],
  ['a critical header', () => sign(right(), { ...typed, crit: ['x'], x: 1 })]
]

t.test('S37: false logout tokens end nothing', async t => {
  const visitor = await signedIn()
  for (const [name, make] of wrong) {
    logged.length = 0
    const answer = await send(await make())
    t.equal(answer.statusCode, 400, name)
    t.match(answer.headers, { 'cache-control': 'no-store' })
    t.notMatch(logged.join(''), /eyJ/, 'no token in the log')
  }
  const unfit: Fields[] = [
    {},
    { logout_token: ['a', 'b'] },
    { logout_token: 'x'.repeat(20_000) },
    { logout_token: 'x', more: '1' }
  ]
  for (const fields of unfit) t.equal((await visitor.post('/sign-in/oidc/logout', fields)).statusCode, 400)
  t.equal((await visitor.get('/me')).statusCode, 200)
  t.same(await db.$client`select * from logout_tokens`, [], 'no number is used up by a false one')
})

const odd: [string, () => Promise<string>][] = [
  ['typ JWT', () => sign(right(), { typ: 'JWT' })],
  ['typ application/logout+jwt', () => sign(right(), { typ: 'application/logout+jwt' })],
  ['no typ', () => sign(right(), { typ: undefined })],
  ['no exp', () => sign(right({ exp: undefined }), typed)],
  ['an audience in a list', () => sign(right({ aud: [provider.clientId] }), typed)],
  ['subject only', () => sign(right(), typed)]
]

t.test('odd but right logout tokens end the session', async t => {
  for (const [name, make] of odd) {
    const visitor = await signedIn()
    const answer = await send(await make())
    t.equal(answer.statusCode, 200, `${name}: ${answer.body}`)
    t.equal((await visitor.get('/me')).statusCode, 303, name)
  }
})

const sidOf = async () => {
  const [row] = await db.$client<
    { sid: string }[]
  >`select provider_session as sid from sessions order by id desc limit 1`
  return row?.sid
}

t.test('a session of the provider ends its own session here only', async t => {
  const first = await signedIn()
  const sid = await sidOf()
  const second = await signedIn()
  t.ok(sid)
  t.equal((await send(await sign(right({ sub: undefined, sid: 'unknown' }), typed))).statusCode, 200)
  t.equal((await send(await sign(right({ sid, sub: 'sub-other' }), typed))).statusCode, 200)
  t.equal((await first.get('/me')).statusCode, 200, 'not theirs')
  t.equal((await send(await sign(right({ sub: undefined, sid }), typed))).statusCode, 200)
  t.equal((await first.get('/me')).statusCode, 303)
  t.equal((await second.get('/me')).statusCode, 200)
})

t.test('one token counts once, also when a hundred arrive at the same moment', async t => {
  const token = await sign(right(), typed)
  const answers = await Promise.all(Array.from({ length: 100 }, () => send(token)))
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1)
  t.equal(answers.filter(({ statusCode }) => statusCode === 400).length, 99)
})

t.test('false tokens cost the provider no request each', async t => {
  provider.asked.length = 0
  for (let time = 0; time < 50; time += 1)
    t.equal((await send(await sign(right(), { ...typed, kid: `k${time}` }))).statusCode, 400)
  const asked = provider.asked.filter(path => path === '/jwks').length
  t.ok(asked <= 20, `${asked} requests`)
})

t.test('while the provider cannot be reached, the keys of the last minute serve', async t => {
  const visitor = await signedIn()
  provider.lies.instead = ctx => {
    ctx.status = 500
    return true
  }
  t.equal((await send(await sign(right(), typed))).statusCode, 200)
  delete provider.lies.instead
  t.equal((await visitor.get('/me')).statusCode, 303)
})
