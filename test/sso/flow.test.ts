import t from 'tap'
import { tidy } from '../../src/worker.ts'
import { baseUrl, startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'
import { startProvider, throughProvider } from '../support/provider.ts'

const provider = await startProvider({ baseUrl })
t.teardown(provider.close)
const { db, ids, browser, close } = await startApp({ environment: provider.environment })
t.teardown(close)

const verified = (email: string, more = {}) => ({ email, email_verified: true, name: 'Someone', ...more })

/** A new browser goes to the provider from `path` and comes back. */
async function come(path = '/sign-in/oidc') {
  const visitor = await browser()
  const left = await visitor.get(path)
  t.equal(left.statusCode, 303, left.body)
  const back = await throughProvider(left.headers.location ?? '', baseUrl)
  return { visitor, back, answer: await visitor.get(back.pathname + back.search) }
}

t.test('the sign-in page offers the provider by a link, and the password beside it', async t => {
  const visitor = await browser()
  const page = await visitor.get('/sign-in?next=/people')
  t.match(page.body, 'href="/sign-in/oidc?next=%2Fpeople"')
  t.match(page.body, 'Sign in with your organization’s account')
  t.match(page.body, 'name="password"')
})

t.test('a user is linked by a verified address once, and known by issuer and subject from then on', async t => {
  provider.signsIn('sub-ben', verified('ben@larkfield.example'))
  const first = await come('/sign-in/oidc?next=%2Fpeople')
  t.equal(first.answer.statusCode, 303, first.answer.body)
  t.equal(first.answer.headers.location, '/people')
  t.equal((await first.visitor.get('/people')).statusCode, 200)
  const session = await one(
    db,
    sql`select method, issuer, subject, id_token is not null as kept from sessions order by id desc limit 1`
  )
  t.match(session, { method: 'provider', issuer: provider.issuer, subject: 'sub-ben', kept: true })

  provider.signsIn('sub-ben', verified('someone-else@larkfield.example', { email_verified: false }))
  t.equal((await come()).answer.statusCode, 303, 'the address no longer matters')

  provider.signsIn('sub-other', verified('ben@larkfield.example'))
  const other = await come()
  t.equal(other.answer.statusCode, 403)
  t.match(other.answer.body, 'This address belongs to another account')
})

t.test('a second use of an answer, another browser, and no browser are refused', async t => {
  provider.signsIn('sub-ben')
  const { visitor, back } = await come()
  t.equal((await visitor.get(back.pathname + back.search)).statusCode, 400, 'again')
  const left = await (await browser()).get('/sign-in/oidc')
  const other = await throughProvider(left.headers.location ?? '', baseUrl)
  const stranger = await browser()
  t.equal((await stranger.get(other.pathname + other.search)).statusCode, 400, 'another browser')
  t.equal((await stranger.get('/sign-in/oidc/callback')).statusCode, 400, 'nothing at all')
})

t.test('an unverified address, no address and one that is not invited are refused in words', async t => {
  for (const [claims, words] of [
    [{ email: 'cleo@larkfield.example', email_verified: false }, 'Your email address is not verified'],
    [{ email: 'cleo@larkfield.example' }, 'Your email address is not verified'],
    [{ email_verified: true }, 'Your account has no email address'],
    [verified('stranger@larkfield.example'), 'You are not invited yet']
  ] as const) {
    provider.signsIn(`sub-${words}`, claims)
    const { answer, visitor } = await come()
    t.equal(answer.statusCode, 403)
    t.match(answer.body, words)
    t.equal((await visitor.get('/me')).statusCode, 303, 'not signed in')
  }
  t.equal((await one<{ n: number }>(db, sql`select count(*)::int as n from provider_accounts`)).n, 1)
})

t.test('an invited person joins over the provider, from the link or the sign-in page', async t => {
  const ada = await browser('ada')
  await ada.post('/invite', { email: ['new@larkfield.example', 'other@larkfield.example', '', '', ''] })
  const { id } = await one<{ id: number }>(
    db,
    sql`select invitation_id as id from people where email = 'new@larkfield.example'`
  )
  const link = /\/join\/[\w-]{43}/.exec((await ada.post(`/invitations/${id}/link`)).body)?.[0] ?? ''
  t.match((await (await browser()).get(link)).body, `href="${link}/oidc"`)

  provider.signsIn('sub-wrong', verified('other@larkfield.example'))
  const wrong = await come(`${link}/oidc`)
  t.equal(wrong.answer.statusCode, 403)
  t.match(wrong.answer.body, 'This invitation is for another account')

  provider.signsIn('sub-new', verified('New@Larkfield.Example', { name: 'New Person' }))
  const right = await come(`${link}/oidc`)
  t.equal(right.answer.statusCode, 303, right.answer.body)
  t.equal(right.answer.headers.location, '/me')
  t.match(await one(db, sql`select name, stage, password_hash from people where email = 'new@larkfield.example'`), {
    name: 'New Person',
    stage: 'signed-up'
  })
  t.equal((await (await browser()).get(link)).statusCode, 410, 'the invitation is used up')

  provider.signsIn('sub-wrong')
  const byDoor = await come()
  t.equal(byDoor.answer.statusCode, 303, 'any door closes the open invitation')
  t.match(await one(db, sql`select stage from people where email = 'other@larkfield.example'`), { stage: 'signed-up' })
})

t.test('signing out ends the session here and leads to the provider', async t => {
  provider.signsIn('sub-ben')
  const { visitor } = await come()
  const answer = await visitor.post('/sign-out')
  t.equal(answer.statusCode, 200)
  const [, href = ''] = /0;url=(.*)$/.exec(String(answer.headers.refresh)) ?? []
  t.match(href, `${provider.issuer}/session/end?id_token_hint=`)
  t.match(answer.body, 'Sign out at the provider')
  t.equal((await visitor.get('/me')).statusCode, 303)
})

t.test('the provider ends sessions by a logout token, once', async t => {
  provider.signsIn('sub-ben')
  const { visitor } = await come()
  const now = Math.floor(Date.now() / 1000)
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const claims = { iss: provider.issuer, aud: provider.clientId, iat: now, jti: 'one', sub: 'sub-ben', events }
  const send = (token: string) =>
    visitor.post('/sign-in/oidc/logout', { logout_token: token }, { origin: 'https://elsewhere.example', cookie: '' })
  t.equal((await send(await provider.kit.sign({ ...claims, nonce: 'x' }))).statusCode, 400, 'an ID token')
  t.equal((await visitor.get('/me')).statusCode, 200)
  const token = await provider.kit.sign(claims, { typ: 'logout+jwt' })
  const answer = await send(token)
  t.equal(answer.statusCode, 200, answer.body)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.equal((await visitor.get('/me')).statusCode, 303, 'ended')
  t.equal((await send(token)).statusCode, 400, 'used before')
  t.ok(ids.ben)
})

t.test('S21: starts are limited for each network, and rows of those who never came back are swept', async t => {
  const answers = await Promise.all(Array.from({ length: 40 }, async () => (await browser()).get('/sign-in/oidc')))
  t.ok(answers.every(({ statusCode }) => statusCode === 303))
  await db.execute(sql`update sign_in_failures set failures = 600 where key like 'oidc network %'`)
  const refused = await (await browser()).get('/sign-in/oidc')
  t.equal(refused.statusCode, 429)
  t.match(String(refused.headers['retry-after']), /^\d+$/)
  await db.execute(sql`delete from sign_in_failures where key like 'oidc network %'`)
  await db.execute(sql`update oidc_attempts set created_at = now() - interval '11 minutes'`)
  await db.execute(
    sql`insert into logout_tokens (issuer, jti, seen_at) values ('i', 'old', now() - interval '2 hours')`
  )
  await tidy({ db })
  t.equal((await one<{ n: number }>(db, sql`select count(*) as n from oidc_attempts`)).n, 0)
  t.equal((await one<{ n: number }>(db, sql`select count(*) as n from logout_tokens where jti = 'old'`)).n, 0)
})
