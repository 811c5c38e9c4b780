/** What providers do differently and rightly: all of it signs in. */
import t, { type Test } from 'tap'
import { baseUrl } from '../support/app.ts'
import { type Claims, type Lies, newKey, signWith, throughProvider } from '../support/provider.ts'
import { putInForce, type Sso, type SsoOptions, startSso, verified } from '../support/sso.ts'

const now = () => Math.floor(Date.now() / 1000)
const claim = (change: (claims: Claims) => unknown): Lies => ({ idToken: (_, claims) => void change(claims) })
const header = (more: Claims): Lies => ({ idToken: (head, claims, { sign }) => sign(claims, { ...head, ...more }) })
const noAddress = (claims: Claims) => {
  for (const name of ['email', 'email_verified', 'name']) delete claims[name]
}

const odd: [string, Lies][] = [
  ['kid-absent-single-jwks', header({ kid: undefined })],
  ['no typ', header({ typ: undefined })],
  ['expired 45 seconds ago, within the leeway', claim(c => Object.assign(c, { exp: now() - 45 }))],
  ['dated five minutes back', claim(c => Object.assign(c, { iat: now() - 300 }))],
  ['valid until 2100', claim(c => Object.assign(c, { exp: 4_102_444_800 }))],
  ['one audience in a list', claim(c => Object.assign(c, { aud: [c.aud] }))],
  ['azp us', claim(c => Object.assign(c, { azp: c.aud }))],
  ['email_verified as a text', claim(c => Object.assign(c, { email_verified: 'true' }))],
  ['address in userinfo only', claim(noAddress)],
  ['verified in userinfo only', claim(c => delete c.email_verified)],
  [
    'no iss in the answer, and none announced',
    {
      back: url => url.searchParams.delete('iss'),
      discovery: document => void delete document.authorization_response_iss_parameter_supported
    }
  ],
  ['no userinfo endpoint', { discovery: document => void delete document.userinfo_endpoint }],
  ['signed userinfo', { userinfo: signed }],
  [
    'signed userinfo, announced',
    {
      userinfo: signed,
      discovery: document => void Object.assign(document, { userinfo_signing_alg_values_supported: ['RS256'] })
    }
  ]
]

async function signed(
  ctx: Parameters<NonNullable<Lies['userinfo']>>[0],
  { sign }: { sign: (claims: Claims) => Promise<string> }
) {
  ctx.body = await sign(Object(ctx.body))
  ctx.type = 'application/jwt'
}

async function comesIn(t: Test, { provider, come, forget }: Sso, lies: Lies = {}) {
  await forget()
  provider.signsIn('sub-ben', verified('ben@larkfield.example'))
  Object.assign(provider.lies, lies)
  const { answer, visitor } = await come()
  for (const name of Object.keys(provider.lies)) delete provider.lies[name as keyof Lies]
  t.match(answer, { statusCode: 303, headers: { location: '/' } }, answer.body.slice(0, 2000))
  t.equal((await visitor.get('/me')).statusCode, 200)
}

t.test('what is odd and right', async t => {
  const sso = await startSso(t)
  for (const [name, lies] of odd) await t.test(name, async t => comesIn(t, sso, lies))
})

const issuers: [string, SsoOptions][] = [
  ['a slash too many', { issuer: issuer => `${issuer}/` }],
  ['a path', { path: '/realms/one' }],
  ['a path and a slash too many', { path: '/realms/one', issuer: issuer => `${issuer}/` }],
  ['a path that ends with a slash', { path: '/o/rollcall/' }],
  ['a path that should end with a slash', { path: '/o/rollcall/', issuer: issuer => issuer.slice(0, -1) }]
]

for (const [name, options] of issuers)
  t.test(`the issuer has ${name}`, async t => comesIn(t, await startSso(t, options)))

for (const proof of ['client_secret_basic', 'client_secret_post', 'none'] as const)
  for (const algorithm of ['RS256', 'PS256', 'ES256'] as const)
    t.test(`${proof}, ${algorithm}`, async t => {
      const sso = await startSso(t, { proof, algorithm })
      const { issuer, clientId, clientSecret } = sso.provider
      await putInForce(sso.db, { issuer, clientId, clientSecret: proof === 'none' ? '' : clientSecret }, { algorithm })
      const proofs: string[] = []
      await comesIn(t, sso, {
        discovery: document => void Object.assign(document, { token_endpoint_auth_methods_supported: [proof] }),
        instead: ({ path, headers }) => {
          if (path === '/token') proofs.push(String(headers.authorization ?? 'none').slice(0, 6))
          return false
        }
      })
      t.same(proofs, [proof === 'client_secret_basic' ? 'Basic ' : 'none'])
    })

t.test('new keys: the first sign-in after the change starts once more by itself', async t => {
  const sso = await startSso(t)
  await comesIn(t, sso)
  const key = await newKey('RS256', 'new')
  const { use, kid, kty, n, e } = { ...key, use: 'sig' }
  const rotated: Lies = {
    idToken: (head, claims) => signWith(key, claims, { ...head, kid: 'new' }),
    jwks: ctx => void Object.assign(ctx, { body: { keys: [{ use, kid, kty, n, e }] } })
  }
  Object.assign(sso.provider.lies, rotated)
  const { answer, visitor } = await sso.come('/sign-in/oidc?next=/people')
  t.equal(answer.statusCode, 303, answer.body)
  t.match(answer.headers.location, `${sso.provider.issuer}/auth?`)
  const back = await throughProvider(answer.headers.location ?? '', baseUrl)
  const again = await visitor.get(back.pathname + back.search)
  t.match(again, { statusCode: 303, headers: { location: '/people' } }, again.body)
  await t.test('and only once', async t => {
    sso.provider.lies.jwks = ctx => void Object.assign(ctx, { body: { keys: [] } })
    await sso.forget()
    const first = await sso.come()
    t.equal(first.answer.statusCode, 303)
    const url = await throughProvider(first.answer.headers.location ?? '', baseUrl)
    t.equal((await first.visitor.get(url.pathname + url.search)).statusCode, 502)
  })
})
