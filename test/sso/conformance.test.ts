/** Every way in which a provider, or someone between it and the browser, can lie: no lie signs anyone in (S37). */
import * as jose from 'jose'
import t, { type Test } from 'tap'
import { baseUrl } from '../support/app.ts'
import {
  type Claims,
  type Lies,
  newKey,
  signSymmetric,
  signWith,
  throughProvider,
  unsigned
} from '../support/provider.ts'
import { startSso, verified } from '../support/sso.ts'

const sso = await startSso(t)
const { provider, db, logged } = sso
const other = await newKey('RS256', 'rsa')
const foreign = await startSso(t)

const now = () => Math.floor(Date.now() / 1000)
const claim = (change: (claims: Claims) => unknown): Lies => ({
  idToken: (_header, claims) => {
    change(claims)
    return undefined
  }
})
const header = (change: (header: Claims) => unknown): Lies => ({
  idToken: (head, claims, { sign }) => {
    change(head)
    return sign(claims, head)
  }
})
const document = (change: (document: Claims) => unknown): Lies => ({ discovery: each => void change(each) })
const userinfo = (change: (claims: Claims) => unknown): Lies => ({ userinfo: ctx => void change(ctx.body as Claims) })
const jwt = (ctx: { body: unknown; type: string }, token: string) => {
  ctx.body = token
  ctx.type = 'application/jwt'
}
const back = (change: (params: URLSearchParams) => unknown): Lies => ({ back: url => change(url.searchParams) })
const deny = (params: URLSearchParams, ...without: string[]) => {
  for (const name of ['code', ...without]) params.delete(name)
  params.set('error', 'access_denied')
}
type Context = Parameters<NonNullable<Lies['instead']>>[0]
const at = (part: string, answer: (ctx: Context) => unknown): Lies => ({
  instead: ctx => {
    if (!ctx.path.includes(part)) return false
    answer(ctx)
    return true
  }
})
const bad: [string, (ctx: Context) => unknown][] = [
  ['404', ctx => Object.assign(ctx, { status: 404 })],
  ['a redirect', ctx => ctx.redirect('http://169.254.169.254/latest/')],
  ['HTML', ctx => Object.assign(ctx, { type: 'html', body: '<p>maintenance</p>' })],
  ['HTML with 500', ctx => Object.assign(ctx, { status: 500, type: 'html', body: '<p>broken</p>' })],
  ['2 MB of JSON', ctx => Object.assign(ctx, { type: 'json', body: `{"a":"${'x'.repeat(2 ** 21)}"}` })],
  ['cut JSON', ctx => Object.assign(ctx, { type: 'json', body: '{"issuer":"http' })],
  ['a list', ctx => Object.assign(ctx, { type: 'json', body: '[]' })],
  ['null', ctx => Object.assign(ctx, { type: 'json', body: 'null' })]
]
const everywhere = ([place, path]: readonly [string, string]): [string, Lies][] =>
  bad.map(([name, answer]) => [`${place}: ${name}`, at(path, answer)])
const both = (sub: unknown): Lies => ({
  ...claim(claims => Object.assign(claims, { sub: sub })),
  ...userinfo(u => Object.assign(u, { sub: sub }))
})
const advertise = (name: string, values: string[]): Lies => document(each => Object.assign(each, { [name]: values }))
const signing = 'id_token_signing_alg_values_supported'
const publicPem = async () => {
  const { keys } = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: jose.JWK[] }
  const key = await jose.importJWK(keys.find(each => each.kid === 'rsa') ?? {}, 'RS256', { extractable: true })
  return jose.exportSPKI(key as jose.CryptoKey)
}
const changedPayload = (token: string) => {
  const [head, , signature] = token.split('.')
  const claims = { ...jose.decodeJwt(token), email: 'ada@larkfield.example' }
  return `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
}
const token = (change: (body: Claims) => unknown): Lies => ({ token: ctx => void change(ctx.body as Claims) })

const lies: Record<string, [string, Lies][]> = {
  'ID token, signature': [
    ['invalid-sig-rs256: another key under the right kid', { idToken: (h, c) => signWith(other, c, h) }],
    [
      'payload changed, old signature',
      token(body => Object.assign(body, { id_token: changedPayload(String(body.id_token)) }))
    ],
    [
      'no signature at all',
      token(body => Object.assign(body, { id_token: String(body.id_token).replace(/[^.]*$/, '') }))
    ],
    ['unknown kid', header(h => Object.assign(h, { kid: 'unknown' }))],
    ['idtoken-sig-none', { idToken: (h, c) => unsigned(c, h) }],
    [
      'idtoken-sig-none, and announced',
      { idToken: (h, c) => unsigned(c, h), ...advertise(signing, ['none', 'RS256']) }
    ],
    ['invalid-sig-hs256: the client secret', { idToken: (h, c) => signSymmetric(provider.clientSecret, c, h) }],
    [
      'invalid-sig-hs256: the public key, and announced',
      { idToken: async (h, c) => signSymmetric(await publicPem(), c, h), ...advertise(signing, ['HS256', 'RS256']) }
    ],
    ['PS256 by the right key where RS256 is set', header(h => Object.assign(h, { alg: 'PS256' }))],
    ['ES256 by the provider’s other key', header(h => Object.assign(h, { alg: 'ES256', kid: 'ec' }))],
    ['unknown critical header', header(h => Object.assign(h, { crit: ['x'], x: 1 }))],
    [
      'kid-absent-multiple-jwks',
      {
        ...header(h => Object.assign(h, { kid: undefined })),
        jwks: ctx => {
          const { keys } = ctx.body as { keys: jose.JWK[] }
          const [first = {}] = keys.filter(key => key.kid === 'rsa')
          ctx.body = { keys: [...keys, { ...first, kid: 'rsa-2' }] }
        }
      }
    ],
    [
      'a key of the attacker in the header (jwk)',
      { idToken: (h, c) => signWith(other, c, { ...h, jwk: open(other) }) }
    ],
    [
      'an address of keys in the header (jku)',
      { idToken: (h, c) => signWith(other, c, { ...h, jku: foreign.provider.issuer }) }
    ],
    ['encrypted', token(body => Object.assign(body, { id_token: 'e30.e30.e30.e30.e30' }))],
    ['missing', token(body => void delete body.id_token)],
    ['no text', token(body => Object.assign(body, { id_token: 7 }))],
    ['a token of two parts', token(body => Object.assign(body, { id_token: 'e30.e30' }))]
  ],
  'ID token, claims': [
    ['invalid-iss', claim(c => Object.assign(c, { iss: 'https://evil.example' }))],
    ['invalid-iss: a slash too many', claim(c => Object.assign(c, { iss: `${c.iss}/` }))],
    ['missing-iss', claim(c => void delete c.iss)],
    ['invalid-aud', claim(c => Object.assign(c, { aud: 'another' }))],
    ['missing-aud', claim(c => void delete c.aud)],
    ['an empty list of audiences', claim(c => Object.assign(c, { aud: [] }))],
    ['two audiences, no azp', claim(c => Object.assign(c, { aud: [c.aud, 'another'] }))],
    ['two audiences, azp another', claim(c => Object.assign(c, { aud: [c.aud, 'another'], azp: 'another' }))],
    ['two audiences, azp us', claim(c => Object.assign(c, { azp: c.aud, aud: [c.aud, 'another'] }))],
    ['invalid-azp: azp another, aud us alone', claim(c => Object.assign(c, { azp: 'another' }))],
    ['azp a list', claim(c => Object.assign(c, { azp: [c.aud] }))],
    ['invalid-nonce', claim(c => Object.assign(c, { nonce: 'x' }))],
    ['missing-nonce', claim(c => void delete c.nonce)],
    ['nonce a list', claim(c => Object.assign(c, { nonce: [c.nonce] }))],
    ['expired an hour ago', claim(c => Object.assign(c, { exp: now() - 3600 }))],
    ['missing-exp', claim(c => void delete c.exp)],
    ['exp a text', claim(c => Object.assign(c, { exp: String(c.exp) }))],
    ['missing-iat', claim(c => void delete c.iat)],
    ['iat a day ago', claim(c => Object.assign(c, { iat: now() - 86_400 }))],
    ['iat a day ahead', claim(c => Object.assign(c, { iat: now() + 86_400 }))],
    ['iat a text', claim(c => Object.assign(c, { iat: String(c.iat) }))],
    ['nbf an hour ahead', claim(c => Object.assign(c, { nbf: now() + 3600 }))],
    ['missing-sub', claim(c => void delete c.sub)],
    ['sub a number', both(7)],
    ['sub empty', both('')],
    ['sub of blanks', both('  ')],
    ['sub of 300 letters', both('x'.repeat(300))],
    ['email a list', claim(c => Object.assign(c, { email: ['ben@larkfield.example'] }))],
    ['email an object', claim(c => Object.assign(c, { email: { value: 'ben@larkfield.example' } }))],
    ['another address than userinfo', claim(c => Object.assign(c, { email: 'ada@larkfield.example' }))]
  ],
  userinfo: [
    ['userinfo-invalid-sub', userinfo(u => Object.assign(u, { sub: 'eve' }))],
    ['sub missing', userinfo(u => void delete u.sub)],
    ['email a list', userinfo(u => Object.assign(u, { email: ['ben@larkfield.example'] }))],
    ['another address than the ID token', userinfo(u => Object.assign(u, { email: 'ada@larkfield.example' }))],
    ['an unsigned JWT', { userinfo: ctx => jwt(ctx, unsigned({ ...Object(ctx.body), iss: provider.issuer }, {})) }],
    [
      'an unsigned JWT, and announced',
      {
        userinfo: ctx => jwt(ctx, unsigned({ ...Object(ctx.body), iss: provider.issuer }, {})),
        ...advertise('userinfo_signing_alg_values_supported', ['none', 'RS256'])
      }
    ],
    [
      'a JWT of another key',
      { userinfo: async ctx => jwt(ctx, await signWith(other, Object(ctx.body), { alg: 'RS256', kid: 'rsa' })) }
    ],
    [
      'a JWT of the client secret',
      { userinfo: ctx => jwt(ctx, signSymmetric(provider.clientSecret, Object(ctx.body), {})) }
    ],
    [
      'a JWT for another client',
      { userinfo: async (ctx, { sign }) => jwt(ctx, await sign({ ...Object(ctx.body), aud: 'another' })) }
    ],
    [
      'a JWT of another issuer',
      { userinfo: async (ctx, { sign }) => jwt(ctx, await sign({ ...Object(ctx.body), iss: 'https://evil.example' })) }
    ],
    ['401', at('/me', ctx => Object.assign(ctx, { status: 401, body: {} }))],
    ...everywhere(['userinfo', '/me'])
  ],
  discovery: [
    ['discovery-issuer-mismatch', document(d => Object.assign(d, { issuer: 'https://evil.example' }))],
    ['issuer missing', document(d => void delete d.issuer)],
    ['an issuer of any tenant', document(d => Object.assign(d, { issuer: 'http://127.0.0.1/{tenantid}/v2.0' }))],
    [
      'token endpoint at the metadata address',
      document(d => Object.assign(d, { token_endpoint: 'http://169.254.169.254/latest/' }))
    ],
    [
      'token endpoint on another port here',
      document(d => Object.assign(d, { token_endpoint: 'http://127.0.0.1:9/token' }))
    ],
    ['jwks_uri on another port here', document(d => Object.assign(d, { jwks_uri: 'http://127.0.0.1:9/jwks' }))],
    ['userinfo inside the network', document(d => Object.assign(d, { userinfo_endpoint: 'http://10.0.0.1/me' }))],
    ['token endpoint missing', document(d => void delete d.token_endpoint)],
    ['jwks_uri missing', document(d => void delete d.jwks_uri)],
    ['authorization endpoint missing', document(d => void delete d.authorization_endpoint)],
    [
      'authorization endpoint javascript:',
      document(d => Object.assign(d, { authorization_endpoint: 'javascript:alert(1)' }))
    ],
    ['authorization endpoint data:', document(d => Object.assign(d, { authorization_endpoint: 'data:text/html,x' }))],
    ['authorization endpoint no address', document(d => Object.assign(d, { authorization_endpoint: 'over there' }))],
    ...everywhere(['discovery', '/.well-known/']),
    ...everywhere(['keys', '/jwks']),
    ['no keys', { jwks: ctx => void Object.assign(ctx, { body: { keys: [] } }) }],
    ['keys without a list', { jwks: ctx => void Object.assign(ctx, { body: {} }) }]
  ],
  'authorization response': [
    ['remove-authorization-response-iss', back(p => p.delete('iss'))],
    ['invalid-authorization-response-iss', back(p => p.set('iss', 'https://evil.example'))],
    [
      'iss of another, none announced',
      {
        ...back(p => p.set('iss', foreign.provider.issuer)),
        ...document(d => void delete d.authorization_response_iss_parameter_supported)
      }
    ],
    ['state of another sign-in', back(p => p.set('state', 'x'.repeat(43)))],
    ['state missing', back(p => p.delete('state'))],
    ['state twice', back(p => p.append('state', 'x'))],
    ['code missing', back(p => p.delete('code'))],
    ['code empty', back(p => p.set('code', ''))],
    ['code twice', back(p => p.append('code', 'x'))],
    ['an unknown code', back(p => p.set('code', 'x'.repeat(43)))],
    ['access_denied', back(p => deny(p))],
    ['access_denied without iss', back(p => deny(p, 'iss'))],
    ['an error and a code', back(p => p.set('error', 'server_error'))],
    ['a hybrid answer', back(p => p.set('id_token', 'x'))],
    ['a JARM answer', back(p => p.set('response', 'x'))]
  ],
  'token endpoint': [
    ['access token missing', token(body => void delete body.access_token)],
    ['token_type missing', token(body => void delete body.token_type)],
    ['token_type of another kind', token(body => Object.assign(body, { token_type: 'mac' }))],
    ['expires_in a word', token(body => Object.assign(body, { expires_in: 'soon' }))],
    ...everywhere(['token', '/token'])
  ]
}

function open({ kty = '', n = '', e = '' }: jose.JWK) {
  return { kty, n, e }
}

async function tell(t: Test, lie: Lies) {
  await sso.forget()
  provider.signsIn('sub-ben', verified('ben@larkfield.example'))
  Object.assign(provider.lies, lie)
  logged.length = 0
  const before = await sso.sessions()
  const { visitor, left } = await sso.leave()
  let [answer, secrets] = [left, [provider.clientSecret]]
  if (left.statusCode === 303) {
    const url = await throughProvider(left.headers.location ?? '', baseUrl)
    answer = await visitor.get(url.pathname + url.search)
    if (answer.statusCode === 303 && answer.headers.location?.startsWith(provider.issuer)) {
      // once more, since the provider may have changed its keys
      const again = await throughProvider(answer.headers.location, baseUrl)
      answer = await visitor.get(again.pathname + again.search)
    }
    secrets = [...secrets, ...url.searchParams.getAll('code'), ...url.searchParams.getAll('state')]
  }
  for (const name of Object.keys(provider.lies)) delete provider.lies[name as keyof Lies]
  t.ok([400, 403, 502].includes(answer.statusCode), `${answer.statusCode} ${answer.headers.location ?? ''}`)
  t.match(answer.body, /<h1>[^<]{10,}<\/h1>/, 'words')
  t.notMatch(answer.body, /eyJ|Error:|at file:/)
  t.equal(await sso.sessions(), before, 'no session')
  t.equal((await visitor.get('/me')).statusCode, 303, 'not signed in')
  const log = logged.join('')
  t.notMatch(log, /eyJ[\w-]{8}/, 'no token in the log')
  t.same(
    secrets.filter(each => each.length > 10 && log.includes(each)),
    [],
    'no code, state or secret in the log'
  )
  if (answer.statusCode === 502) t.match(log, '"reason":"', 'the log says why')
}

for (const [about, list] of Object.entries(lies))
  t.test(`S37: lies about the ${about}`, async t => {
    for (const [name, lie] of list) await t.test(name, async t => tell(t, lie))
  })

t.test('S37: the code of another sign-in', async t => {
  provider.signsIn('sub-ada', verified('ada@larkfield.example'))
  const { left } = await sso.leave()
  const stolen = await throughProvider(left.headers.location ?? '', baseUrl)
  await t.test('in an attacker’s browser', async t =>
    tell(
      t,
      back(params => params.set('code', stolen.searchParams.get('code') ?? ''))
    )
  )
})

t.test('nothing was linked by all this, and the truth signs in', async t => {
  const count = Object.values(lies).flat().length
  t.ok(count >= 84, `${count} lies`)
  t.same(await db.$client`select * from provider_accounts`, [])
  provider.signsIn('sub-ben', verified('ben@larkfield.example'))
  t.equal((await sso.come()).answer.statusCode, 303)
})
