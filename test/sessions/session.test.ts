import { createHash } from 'node:crypto'
import t from 'tap'
import { addUser, type Browser, baseUrl, goodPassword, startApp } from '../support/app.ts'
import { inviteOne, one, sql } from '../support/people.ts'

const { app, db, ids, browser, close } = await startApp()
t.teardown(close)

const isIn = async (visitor: Browser) => (await visitor.get('/me')).statusCode === 200
/** Another browser with the same cookie: a thief, or the same browser before it received a new cookie. */
async function copyOf({ cookie }: Browser): Promise<Browser> {
  const copy = await browser()
  copy.cookie = cookie
  return copy
}
const signIn = (visitor: Browser, name: string) =>
  visitor.post('/sign-in', { email: `${name}@larkfield.example`, password: goodPassword })
const sessionsOf = async (id: number) =>
  (await one<{ n: number }>(db, sql`select count(*) as n from sessions where person_id = ${id}`)).n

t.test(
  'S33: each cookie is limited to this host and https, hidden from scripts and not sent from other sites',
  async t => {
    const visitor = await browser()
    const { token } = await inviteOne(db, ids.ben, 'cookie@larkfield.example')
    const answers = [
      await signIn(visitor, 'dan'),
      await visitor.post(`/join/${token}`, { name: 'Cookie', password: goodPassword }),
      await visitor.post('/me', { current_password: goodPassword, password: 'nine-herons-walk-south' }),
      await visitor.post('/sign-out')
    ]
    for (const { headers, statusCode } of answers) {
      t.equal(statusCode, 303)
      const cookies = [headers['set-cookie']].flat() as string[]
      t.match(cookies.at(-1), /^__Host-rollcall=([\w-]{43})?; /)
      for (const mark of cookies.slice(0, -1)) t.match(mark, /^__Host-rollcall-browser=/)
      t.ok(cookies.length <= 2)
      for (const cookie of cookies) {
        for (const attribute of [/; Path=\/(;|$)/, /; HttpOnly(;|$)/, /; Secure(;|$)/, /; SameSite=Lax(;|$)/])
          t.match(cookie, attribute)
        t.notMatch(cookie, /Domain/i)
        t.ok(cookie.length < 4096)
      }
    }
    t.match([answers[3]!.headers['set-cookie']].flat()[0], /^__Host-rollcall=; Max-Age=0; /)
  }
)

t.test('S19: a session is 256 random bits, of which only the SHA-256 is stored', async t => {
  const tokens = await Promise.all(Array.from({ length: 5 }, async () => (await browser('dan')).cookie!.split('=')[1]!))
  t.equal(new Set(tokens).size, 5)
  for (const token of tokens) {
    t.equal(Buffer.from(token, 'base64url').length, 32)
    const hash = createHash('sha256').update(token).digest()
    await t.resolves(one(db, sql`select 1 from sessions where token_hash = ${hash}`))
  }
})

t.test('S19: a value planted in the browser never becomes a session', async t => {
  const planted = `${app.cookieName}=${'A'.repeat(43)}`
  const victim = await browser()
  victim.cookie = planted
  await signIn(victim, 'cleo')
  t.not(victim.cookie, planted)
  t.ok(await isIn(victim))
  const attacker = await browser()
  attacker.cookie = planted
  t.notOk(await isIn(attacker))
  for (const value of ['', 'x', 'A'.repeat(44), '../../x', '%00', `${'A'.repeat(43)}"`, `'${'A'.repeat(41)}'`]) {
    attacker.cookie = `${app.cookieName}=${value}`
    t.equal((await attacker.get('/me')).statusCode, 303, value)
  }
})

t.test('S19: signing in again in the same browser ends the previous session', async t => {
  const visitor = await browser('ben')
  const before = await copyOf(visitor)
  await signIn(visitor, 'ben')
  t.ok(await isIn(visitor))
  t.notOk(await isIn(before))
})

t.test('S19: signing out ends the session at once, wherever the cookie was copied', async t => {
  const visitor = await browser('ben')
  const stolen = await copyOf(visitor)
  const answer = await visitor.post('/sign-out')
  t.match(answer, { statusCode: 303, headers: { location: '/sign-in' } })
  t.notOk(await isIn(stolen))
  t.equal((await stolen.post('/sign-out')).statusCode, 401)
})

t.test(
  'S19: half an hour without a click ends a session, and a page that refreshes itself does not prolong it',
  async t => {
    const visitor = await browser('ben')
    const idle = (minutes: number) =>
      db.execute(
        sql`update sessions set last_seen_at = now() - make_interval(mins => ${minutes}) where person_id = ${ids.ben}`
      )
    const seen = () =>
      one<{ ago: number }>(
        db,
        sql`select min(extract(epoch from now() - last_seen_at))::int as ago from sessions where person_id = ${ids.ben}`
      )
    await idle(29)
    t.equal((await visitor.get('/people?refresh=1')).statusCode, 200)
    t.equal((await visitor.get('/batches/1?refresh=sending', { 'hx-request': 'true' })).statusCode, 200)
    t.ok((await seen()).ago > 29 * 60 - 5, 'the page looked for news')
    t.equal((await visitor.get('/people')).statusCode, 200)
    t.ok((await seen()).ago < 60, 'a click counts as activity')
    await idle(30)
    t.notOk(await isIn(visitor))
  }
)

t.test('S19: a session ends twelve hours after signing in, even if it is in use', async t => {
  const visitor = await browser('ben')
  const { hours } = await one<{ hours: number }>(
    db,
    sql`select round(extract(epoch from ends_at - created_at) / 3600) as hours from sessions order by id desc limit 1`
  )
  t.equal(hours, 12)
  await db.execute(sql`update sessions set ends_at = now() where person_id = ${ids.ben}`)
  t.notOk(await isIn(visitor))
})

t.test('S19: another role ends every session of that user, the same role none', async t => {
  const id = await addUser(db, 'rosa', 'member')
  const ada = await browser('ada')
  const rosa = [await browser(), await browser()]
  for (const each of rosa) await signIn(each, 'rosa')
  await ada.post(`/people/${id}/role`, { role: 'member' })
  t.same(await Promise.all(rosa.map(isIn)), [true, true])
  await ada.post(`/people/${id}/role`, { role: 'auditor' })
  t.same(await Promise.all(rosa.map(isIn)), [false, false])
  t.equal(await sessionsOf(id), 0)
})

t.test('S19: a deactivated user is signed out at once, and reactivating restores no session', async t => {
  const id = await addUser(db, 'lena', 'auditor')
  const ada = await browser('ada')
  const lena = await browser()
  await signIn(lena, 'lena')
  t.equal((await ada.post(`/people/${id}/deactivation`)).statusCode, 303)
  t.notOk(await isIn(lena))
  t.equal((await signIn(await browser(), 'lena')).statusCode, 422, 'and cannot sign in')
  t.equal((await ada.post(`/people/${id}/reactivation`)).statusCode, 303)
  t.notOk(await isIn(lena), 'the old session stays dead')
  t.equal((await signIn(await browser(), 'lena')).statusCode, 303)
})

t.test('S19: on a plain-http address browsers would not keep the prefix, so the cookie has none', async t => {
  const plain = await startApp({ environment: { BASE_URL: 'http://rollcall.larkfield.example' } })
  t.teardown(plain.close)
  t.equal(plain.app.cookieName, 'rollcall')
  t.match(plain.logged.join(''), 'cannot be marked Secure')
  t.equal(app.cookieName, '__Host-rollcall')
  t.equal(baseUrl, 'http://localhost:3000')
})
