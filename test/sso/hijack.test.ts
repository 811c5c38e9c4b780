/** Who may come in, and whose account it becomes: joining, linking, and what an attacker prepares before. */
import t from 'tap'
import { transaction } from '../../src/db/client.ts'
import { setDeactivated } from '../../src/people/store.ts'
import { baseUrl } from '../support/app.ts'
import { expire, inviteOne, one, sql } from '../support/people.ts'
import { throughProvider } from '../support/provider.ts'
import { putInForce, startSso, verified } from '../support/sso.ts'

const sso = await startSso(t)
const { db, ids, provider, browser, come, leave, sessions } = sso
const at = (name: string) => `${name}@larkfield.example`
const stageOf = async (name: string) =>
  (await one<{ stage: string }>(db, sql`select stage from people where address_key = ${at(name)}`)).stage
const ownerOf = async (subject: string) => {
  const rows = await db.$client<{ email: string }[]>`
    select p.email from provider_accounts a join people p on p.id = a.person_id where a.subject = ${subject}`
  return rows.map(({ email }) => email)
}

t.test('S5: an address that the provider does not confirm links and joins no one', async t => {
  const { token } = await inviteOne(db, ids.ben, at('five'))
  const before = await sessions()
  for (const word of [false, undefined, null, 'false', 'yes', 'TRUE', 1, [true], {}]) {
    for (const path of ['/sign-in/oidc', `/join/${token}/oidc`]) {
      provider.signsIn(`sub-five-${String(word)}`, verified(at('five'), { email_verified: word }))
      const { answer } = await come(path)
      t.equal(answer.statusCode, 403, `${JSON.stringify(word)} ${path}`)
      t.match(answer.body, 'Your email address is not verified')
    }
  }
  t.equal(await sessions(), before)
  t.equal(await stageOf('five'), 'invited')
})

t.test('S5: the account has the invited address, however the provider spells it', async t => {
  const { token } = await inviteOne(db, ids.ben, 'Spelled@Larkfield.Example')
  provider.signsIn('sub-spelled', verified('SPELLED@LARKFIELD.EXAMPLE'))
  t.equal((await come(`/join/${token}/oidc`)).answer.headers.location, '/me')
  t.same(await ownerOf('sub-spelled'), ['Spelled@larkfield.example'])
  for (const near of [
    'spelled+x@larkfield.example',
    'spelled@sub.larkfield.example',
    'spelled@larkfield.example.evil.example'
  ]) {
    provider.signsIn(`sub-${near}`, verified(near))
    t.equal((await come()).answer.statusCode, 403, near)
  }
})

t.test('S5: a user who is signed in joins as the account of the provider, not as themselves', async t => {
  const { token } = await inviteOne(db, ids.ben, at('another'))
  const dan = await browser('dan')
  provider.signsIn('sub-another', verified(at('another')))
  const left = await dan.get(`/join/${token}/oidc`)
  const session = dan.cookie
  const back = await throughProvider(left.headers.location ?? '', baseUrl)
  dan.cookie = [session, (await leave()) && left.cookies.map(each => `${each.name}=${each.value}`)].flat().join('; ')
  t.equal((await dan.get(back.pathname + back.search)).headers.location, '/me')
  t.match((await dan.get('/me')).body, at('another'))
  dan.cookie = session
  t.equal((await dan.get('/me')).statusCode, 303, 'the earlier session has ended')
})

t.test(
  'S6, classic and federated: an earlier session of an account ends when its owner proves the address',
  async t => {
    const dan = await browser('dan')
    t.equal((await dan.get('/me')).statusCode, 200)
    provider.signsIn('sub-dan', verified(at('dan')))
    const first = await come()
    t.equal(first.answer.statusCode, 303)
    t.equal((await dan.get('/me')).statusCode, 303)
    t.equal((await first.visitor.get('/me')).statusCode, 200)
    t.equal((await come()).answer.statusCode, 303)
    t.equal((await first.visitor.get('/me')).statusCode, 200, 'a later sign-in ends none')
  }
)

t.test('S6, unexpired session: joining ends what was there before, the password included', async t => {
  const { personId, token } = await inviteOne(db, ids.ben, at('six'))
  await db.execute(sql`update people set password_hash = 'planted' where id = ${personId}`)
  provider.signsIn('sub-six', verified(at('six')))
  t.equal((await come(`/join/${token}/oidc`)).answer.headers.location, '/me')
  const person = await one(db, sql`select password_hash, stage from people where id = ${personId}`)
  t.match(person, { password_hash: null, stage: 'signed-up' })
  t.equal((await one<{ n: number }>(db, sql`select count(*)::int n from sessions where person_id = ${personId}`)).n, 1)
})

t.test('S6, trojan identifier: a linked account stays what it is, whatever address it takes later', async t => {
  provider.signsIn('sub-trojan', verified(at('cleo')))
  t.equal((await come()).answer.statusCode, 303)
  provider.signsIn('sub-trojan', verified(at('ada')))
  const { visitor } = await come()
  t.match((await visitor.get('/me')).body, at('cleo'))
  t.same(await ownerOf('sub-trojan'), [at('cleo')])
  const { token } = await inviteOne(db, ids.ben, at('victim'))
  provider.signsIn('sub-trojan', verified(at('victim')))
  const { answer } = await come(`/join/${token}/oidc`)
  t.match(answer.body, 'This invitation is for another account')
  t.equal(await stageOf('victim'), 'invited')
})

t.test('S6, pending email change: the address of an account changes only with its person', async t => {
  const dan = await browser('dan')
  const me = (await dan.get('/me')).body
  t.notMatch(me, /<input[^>]+name="email"/)
  t.equal((await dan.post('/me', { name: 'Dan', email: at('ada') })).statusCode, 400)
})

t.test('S6, a provider that verifies nothing: only domains that an owner named count', async t => {
  await inviteOne(db, ids.ben, at('trusted'))
  provider.signsIn('sub-trusted', { email: at('trusted'), name: 'Trusted' })
  t.equal((await come()).answer.statusCode, 403)
  await putInForce(db, provider, { trustedDomains: ['larkfield-retail.example'] })
  t.equal((await come()).answer.statusCode, 403, 'another domain')
  await putInForce(db, provider, { trustedDomains: ['larkfield.example'] })
  t.equal((await come()).answer.statusCode, 303)
})

t.test('S7: a changed state, another browser, a replay and a late return use no invitation', async t => {
  const { token } = await inviteOne(db, ids.ben, at('seven'))
  const path = `/join/${token}/oidc`
  provider.signsIn('sub-seven', verified(at('seven')))
  const before = await sessions()
  const go = async () => {
    const { visitor, left } = await leave(path)
    return { visitor, url: await throughProvider(left.headers.location ?? '', baseUrl) }
  }
  const { visitor, url } = await go()
  const ask = (from: typeof visitor, params: URLSearchParams) => from.get(`${url.pathname}?${params}`)
  const tampered = new URLSearchParams(url.search)
  tampered.set('state', `${token}`)
  t.equal((await ask(visitor, tampered)).statusCode, 400, 'the invitation’s token as the state')
  const stranger = (await leave()).visitor
  t.equal((await ask(stranger, url.searchParams)).statusCode, 400, 'another browser that also went there')
  await db.execute(sql`update oidc_attempts set created_at = now() - interval '10 minutes 1 second'`)
  t.equal((await ask(visitor, url.searchParams)).statusCode, 400, 'after ten minutes')
  t.equal(await sessions(), before)
  t.equal(await stageOf('seven'), 'invited')
  const right = await go()
  t.equal((await right.visitor.get(right.url.pathname + right.url.search)).headers.location, '/me')
  t.equal((await right.visitor.get(right.url.pathname + right.url.search)).statusCode, 400, 'again')
})

t.test('S7: an invitation is checked again when its person comes back', async t => {
  for (const end of ['revoked', 'expired', 'used'] as const) {
    const name = `seven-${end}`
    const { token, invitationId, personId } = await inviteOne(db, ids.ben, at(name))
    provider.signsIn(`sub-${name}`, verified(at(name)))
    const { visitor, left } = await leave(`/join/${token}/oidc`)
    const back = await throughProvider(left.headers.location ?? '', baseUrl)
    if (end === 'revoked') await (await browser('ben')).post(`/invitations/${invitationId}/revocation`)
    else if (end === 'expired') await expire(db, personId)
    else await come(`/join/${token}/oidc`)
    const before = await sessions()
    const answer = await visitor.get(back.pathname + back.search)
    t.equal(answer.statusCode, 410, end)
    t.match(answer.body, 'This invitation can no longer be used')
    t.equal(await sessions(), before)
  }
  const { token } = await inviteOne(db, ids.ben, at('seven-gone'))
  await db.execute(sql`update people set invitation_expires_at = now() where address_key = ${at('seven-gone')}`)
  await db.execute(sql`update invitations set expires_at = now() where token_hash is not null`)
  t.match((await leave(`/join/${token}/oidc`)).left.headers.location, '/join/', 'no way to the provider')
})

t.test('S31: after the provider people are only led to pages of Rollcall', async t => {
  provider.signsIn('sub-dan')
  const wild = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    '/..//evil.example'
  ]
  for (const next of [
    ...wild,
    'http://localhost:3000@evil.example',
    '/ok\r\nSet-Cookie: a=b',
    `/${'x'.repeat(3000)}`
  ]) {
    const { answer } = await come(`/sign-in/oidc?next=${encodeURIComponent(next)}`)
    t.match(answer, { statusCode: 303, headers: { location: '/me' } }, JSON.stringify(next.slice(0, 40)))
  }
  t.equal((await come('/sign-in/oidc?next=%2Fme%3Fa%3D1')).answer.headers.location, '/me?a=1')
})

t.test('S38: a user who is deactivated is signed out at once, and the provider lets them in no more', async t => {
  provider.signsIn('sub-leaver', verified(at('leaver')))
  const { token, personId } = await inviteOne(db, ids.ben, at('leaver'))
  const { visitor } = await come(`/join/${token}/oidc`)
  t.equal((await visitor.get('/me')).statusCode, 200)
  const { left, visitor: underway } = await leave()
  const back = await throughProvider(left.headers.location ?? '', baseUrl)
  await (await browser('ada')).post(`/people/${personId}/deactivation`)
  t.equal((await visitor.get('/me')).statusCode, 303)
  t.equal((await underway.get(back.pathname + back.search)).statusCode, 403, 'on the way')
  const { answer } = await come()
  t.equal(answer.statusCode, 403)
  t.match(answer.body, 'Your account is deactivated')
  await transaction(db, tx => setDeactivated(tx, [personId], false))
  t.equal((await visitor.get('/me')).statusCode, 303, 'an old session does not come back')
})

t.test('a hundred first sign-ins of one account at once make one person and one link', async t => {
  await putInForce(db, provider, { joining: 'domains' })
  provider.signsIn('sub-many', verified(at('many')))
  const ways = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const { visitor, left } = await leave()
      return { visitor, back: await throughProvider(left.headers.location ?? '', baseUrl) }
    })
  )
  const answers = await Promise.all(ways.map(({ visitor, back }) => visitor.get(back.pathname + back.search)))
  // on a busy machine the last of them may wait too long
  const codes = new Set(answers.map(({ statusCode }) => statusCode))
  t.ok(codes.has(303) && [...codes].every(code => code === 303 || code === 408), [...codes].join())
  t.same(await ownerOf('sub-many'), [at('many')])
  const found = await db.$client`select role, stage from people where address_key = ${at('many')}`
  t.same(found, [{ role: 'member', stage: 'signed-up' }])
  const [joined] = await db.$client`
    select count(*)::int as n from events e join people p on p.id = e.person_id
    where p.address_key = ${at('many')} and e.kind in ('signed-up', 'provider-linked')`
  t.equal(joined?.n, 2, 'one event each')
})
