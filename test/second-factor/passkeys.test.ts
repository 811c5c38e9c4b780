import t from 'tap'
import { type Browser, baseUrl, startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'
import { codesIn, rule, signIn } from '../support/second-factor.ts'
import { type Lie, softPasskey } from '../support/soft-passkey.ts'

const { db, ids, browser, close } = await startApp()
t.teardown(close)

const challengeFor = async (visitor: Browser, url: string) => {
  const answer = await visitor.post(url)
  t.equal(answer.statusCode, 200, answer.body)
  return JSON.parse(answer.body) as { challenge: string; [name: string]: unknown }
}
const register = async (visitor: Browser, key = softPasskey(baseUrl), lie: Lie = {}) => {
  const { challenge } = await challengeFor(visitor, '/me/passkeys/options')
  return visitor.post('/me/passkeys', { act: 'add', name: 'My laptop', credential: key.create(challenge, lie) })
}
const use = async (key: ReturnType<typeof softPasskey>, lie: Lie = {}, visitor?: Browser) => {
  const someone = visitor ?? (await browser())
  await db.execute(sql`delete from sign_in_failures`)
  const { challenge } = await challengeFor(someone, '/sign-in/passkey/options')
  return someone.post('/sign-in/passkey', { credential: key.get(challenge, lie), next: '/people' })
}

const key = softPasskey(baseUrl, 1)

t.test(
  'S19: a passkey is added with a new session token, and signs in alone, past a required second factor',
  async t => {
    const ada = await browser('ada')
    t.notMatch((await (await browser()).get('/sign-in')).body, 'data-passkey', 'no one has a passkey')
    const options = await challengeFor(ada, '/me/passkeys/options')
    t.match(options, {
      rp: { id: 'localhost' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      pubKeyCredParams: [{ alg: -8 }, { alg: -7 }, { alg: -257 }]
    })
    const old = ada.cookie
    t.match(await register(ada, key), { statusCode: 303, headers: { location: '/me/passkeys' } })
    t.not(ada.cookie, old)
    t.match((await ada.get('/me/passkeys')).body, 'My laptop')
    t.match((await (await browser()).get('/sign-in')).body, 'Sign in with a passkey')

    await rule(db, 'everybody')
    t.teardown(() => rule(db, 'off'))
    const visitor = await browser()
    t.match(await use(key, { userHandle: `person-${ids.ada}` }, visitor), {
      statusCode: 303,
      headers: { location: '/people' }
    })
    t.equal((await visitor.get('/people')).statusCode, 200, 'whole')
    t.match(await one(db, sql`select method, needs_factor from sessions order by id desc limit 1`), {
      method: 'passkey'
    })
    t.match(await one(db, sql`select counter::int, last_used_at is not null as used from passkeys`), {
      counter: 2,
      used: true
    })
  }
)

t.test('where a factor is required, a password asks for the passkey of people who have no app', async t => {
  await rule(db, 'admins')
  const visitor = await browser()
  t.equal((await signIn(visitor, 'ada')).headers.location, '/sign-in/second-factor')
  t.match((await visitor.get('/sign-in/second-factor')).body, 'Sign in with a passkey')
  t.match(await use(key, {}, visitor), { statusCode: 303 })
  const codes = await visitor.post('/me/second-factor', { act: 'codes', current_password: 'seven-otters-swim-north' })
  const [recovery = ''] = codesIn(codes.body)
  const other = await browser()
  await signIn(other, 'ada')
  t.match(await other.post('/sign-in/second-factor', { code: recovery }), {
    statusCode: 303,
    headers: { location: '/' }
  })
  await rule(db, 'off')
  t.equal((await signIn(await browser(), 'ada')).headers.location, '/', 'a convenience where none is required')
})

t.test('lies about a use are refused', async t => {
  const lies: [string, Lie][] = [
    ['of another site', { client: { origin: 'https://evil.example' } }],
    ['of another port', { client: { origin: 'http://localhost:4000' } }],
    ['in a frame of another site', { client: { crossOrigin: true } }],
    ['in a frame that names its site', { client: { topOrigin: 'https://evil.example' } }],
    ['of another kind', { client: { type: 'webauthn.create' } }],
    ['for another host', { rpId: 'evil.example' }],
    ['without a person', { flags: 0x04 }],
    ['without their finger or PIN', { flags: 0x01 }],
    ['of another person', { userHandle: `person-${ids.ben}` }],
    ['with an old counter', { counter: 1 }],
    ['with a challenge that we never gave', { client: { challenge: 'A'.repeat(43) } }]
  ]
  for (const [name, lie] of lies) {
    const visitor = await browser()
    t.equal((await use(key, lie, visitor)).statusCode, 422, name)
    t.equal((await visitor.get('/me')).statusCode, 303, name)
  }
  for (const credential of ['', 'x', '{}', '[]', 'null', '{"id":"a","rawId":"a","type":"public-key","response":{}}'])
    t.equal((await (await browser()).post('/sign-in/passkey', { credential })).statusCode, 422, credential)
  t.equal((await use(softPasskey(baseUrl))).statusCode, 422, 'a key that no one registered')
  t.equal((await use(key)).statusCode, 303, 'the truth still signs in')
})

t.test('a challenge is used once, even by parallel requests and with a counter that stays 0', async t => {
  const ben = await browser('ben')
  const synced = softPasskey(baseUrl)
  await register(ben, synced)
  const visitor = await browser()
  await db.execute(sql`delete from sign_in_failures`)
  const { challenge } = await challengeFor(visitor, '/sign-in/passkey/options')
  const credential = synced.get(challenge)
  const others = await Promise.all([browser(), browser(), browser()])
  const answers = await Promise.all(others.map(each => each.post('/sign-in/passkey', { credential })))
  t.equal(answers.filter(({ statusCode }) => statusCode === 303).length, 1)
  t.equal((await visitor.post('/sign-in/passkey', { credential })).statusCode, 422)
  const old = await challengeFor(visitor, '/sign-in/passkey/options')
  await db.execute(sql`update passkey_challenges set created_at = now() - interval '6 minutes'`)
  t.equal(
    (await visitor.post('/sign-in/passkey', { credential: synced.get(old.challenge) })).statusCode,
    422,
    'too old'
  )
})

t.test('lies about a new passkey are refused, and so is another person’s challenge or key', async t => {
  const cleo = await browser('cleo')
  const lies: Lie[] = [
    { flags: 0x41 },
    { rpId: 'evil.example' },
    { client: { origin: 'https://evil.example' } },
    { client: { crossOrigin: true } },
    { client: { type: 'webauthn.get' } }
  ]
  for (const lie of lies) t.equal((await register(cleo, softPasskey(baseUrl), lie)).statusCode, 422)
  const dan = await browser('dan')
  const { challenge } = await challengeFor(dan, '/me/passkeys/options')
  const credential = softPasskey(baseUrl).create(challenge)
  t.equal((await cleo.post('/me/passkeys', { act: 'add', credential })).statusCode, 422)
  t.equal((await dan.post('/me/passkeys', { act: 'add', credential })).statusCode, 422, 'the challenge is gone')
  t.match(await register(cleo, key), { statusCode: 422, body: /registered already/ })
})

t.test('people rename and remove their own passkeys only', async t => {
  const { id } = await one<{ id: number }>(db, sql`select id from passkeys where person_id = ${ids.ada}`)
  const cleo = await browser('cleo')
  for (const act of ['rename', 'remove'])
    t.equal((await cleo.post('/me/passkeys', { act, id: String(id), name: 'Mine' })).statusCode, 404)
  const ada = await browser('ada')
  t.equal((await ada.post('/me/passkeys', { act: 'rename', id: String(id), name: '' })).statusCode, 422)
  t.equal((await ada.post('/me/passkeys', { act: 'rename', id: String(id), name: 'Desk' })).statusCode, 303)
  t.match((await ada.get('/me/passkeys')).body, 'value="Desk"')
  t.equal((await ada.post('/me/passkeys', { act: 'remove', id: String(id) })).statusCode, 303)
  t.equal((await use(key)).statusCode, 422, 'it no longer signs in')
})

t.test('a passkey sets up a required factor, and removing the last one limits the session again', async t => {
  await rule(db, 'everybody')
  t.teardown(() => rule(db, 'off'))
  const dan = await browser()
  await signIn(dan, 'dan')
  t.equal((await dan.get('/me')).headers.location, '/me/second-factor')
  t.equal((await register(dan)).statusCode, 303)
  t.equal((await dan.get('/me')).statusCode, 200)
  const { id } = await one<{ id: number }>(db, sql`select id from passkeys where person_id = ${ids.dan}`)
  await dan.post('/me/passkeys', { act: 'remove', id: String(id) })
  t.equal((await dan.get('/me')).headers.location, '/me/second-factor')
})

t.test('a deactivated user’s passkey signs in no one', async t => {
  const eve = softPasskey(baseUrl)
  await register(await browser('cleo'), eve)
  await db.execute(sql`update people set deactivated_at = now() where id = ${ids.cleo}`)
  t.equal((await use(eve)).statusCode, 422)
})

t.test('at an IP address or over plain http there are no passkeys', async t => {
  for (const BASE_URL of ['http://127.0.0.1:3000', 'http://rollcall.larkfield.example']) {
    const other = await startApp({ environment: { BASE_URL } })
    t.teardown(other.close)
    const visitor = await other.browser()
    const headers = { host: new URL(BASE_URL).host, origin: BASE_URL }
    t.equal((await visitor.post('/sign-in/passkey/options', {}, headers)).statusCode, 409)
    const ada = await other.browser('ada')
    t.match((await ada.get('/me/passkeys', headers)).body, 'Passkeys are not possible at this address.')
  }
})
