import path from 'node:path'
import t from 'tap'
import { readKept } from '../../src/mail/outbox.ts'
import { addUser, type Browser, goodPassword, startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'
import { routesOf, unknownRows } from '../support/routes.ts'
import { codeFrom, codesIn, rule, setUpFactor, signIn } from '../support/second-factor.ts'

const rollcall = await startApp()
const { app, db, ids, browser, work, dataDir, close } = rollcall
t.teardown(close)

const sessionsOf = (id: number) =>
  one<{ n: number }>(db, sql`select count(*)::int as n from sessions where person_id = ${id}`).then(({ n }) => n)

t.test('S33: a right password leads to the second factor, by a cookie that only this browser has', async t => {
  const ada = await browser('ada')
  const { secret } = await setUpFactor(ada)
  const visitor = await browser()
  const answer = await signIn(visitor, 'ada')
  t.match(answer, { statusCode: 303, headers: { location: '/sign-in/second-factor' } })
  const [cookie] = answer.cookies
  t.equal(answer.cookies.length, 1, 'no session, and no mark of a known browser')
  t.match(cookie, {
    name: '__Host-rollcall-factor',
    httpOnly: true,
    secure: true,
    sameSite: 'Lax',
    path: '/',
    maxAge: 600
  })
  t.ok((answer.headers['set-cookie'] as string).length < 4096)
  t.equal((await visitor.get('/me')).statusCode, 303, 'not signed in')
  t.match((await visitor.get('/sign-in/second-factor')).body, 'Code from your authenticator app')

  const other = await browser()
  t.match(await other.post('/sign-in/second-factor', { code: codeFrom(secret) }), {
    headers: { location: '/sign-in?late=1' }
  })
  t.match((await other.get('/sign-in?late=1')).body, 'Sign in again.')

  t.equal((await visitor.post('/sign-in/second-factor', { code: '000000' })).statusCode, 422)
  const right = await visitor.post('/sign-in/second-factor', { code: codeFrom(secret, 30) })
  t.match(right, { statusCode: 303, headers: { location: '/' } })
  t.equal((await visitor.get('/')).statusCode, 200)
  t.match(await one(db, sql`select details from events where kind = 'signed-in' order by id desc limit 1`), {
    details: { method: 'password', factor: 'code' }
  })
})

t.test('a code works once, and so does one recovery code, also of parallel requests', async t => {
  const ben = await browser('ben')
  const { secret, codes } = await setUpFactor(ben)
  const tickets = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const visitor = await browser()
      await signIn(visitor, 'ben')
      return visitor
    })
  )
  const code = codeFrom(secret, 30)
  const answers = await Promise.all(tickets.map(each => each.post('/sign-in/second-factor', { code })))
  t.same(answers.map(({ headers }) => headers.location === '/').filter(Boolean).length, 1, 'one of the parallel ones')
  const late = await browser()
  await signIn(late, 'ben')
  t.equal((await late.post('/sign-in/second-factor', { code })).statusCode, 422, 'replayed')

  const [recovery = ''] = codes
  const waiting = tickets.filter((_, n) => answers[n]?.statusCode === 422)
  const used = await Promise.all(waiting.map(each => each.post('/sign-in/second-factor', { code: recovery })))
  t.equal(used.filter(({ statusCode }) => statusCode === 303).length, 1)
  t.match(await one(db, sql`select details from events where kind = 'recovery-code-used'`), { details: { left: 9 } })
  await work()
  const { id } = await one<{ id: number }>(db, sql`select id from deliveries where kind = 'recovery-used'`)
  const mail = await readKept(path.join(dataDir, 'outbox'), id)
  t.match(mail?.subject, 'A recovery code for Larkfield was used')
  t.match(mail?.text, 'Codes left: 9.')
  t.notMatch(mail?.bytes.toString(), /unsubscribe/i)
})

t.test('new recovery codes void the earlier ones', async t => {
  const cleo = await browser('cleo')
  const { codes } = await setUpFactor(cleo)
  t.equal((await cleo.post('/me/second-factor', { act: 'codes' })).statusCode, 422, 'not without a proof')
  const answer = await cleo.post('/me/second-factor', { act: 'codes', current_password: goodPassword })
  t.equal(answer.statusCode, 200)
  const fresh = codesIn(answer.body)
  t.equal(fresh.length, 10)
  const visitor = await browser()
  await signIn(visitor, 'cleo')
  t.equal((await visitor.post('/sign-in/second-factor', { code: codes[1] ?? '' })).statusCode, 422)
  t.equal((await visitor.post('/sign-in/second-factor', { code: fresh[1] ?? '' })).statusCode, 303)
})

t.test('S21: wrong codes are slowed down as wrong passwords are', async t => {
  const visitor = await browser()
  await signIn(visitor, 'ada')
  const codes: number[] = []
  for (let n = 0; n < 22; n += 1)
    codes.push((await visitor.post('/sign-in/second-factor', { code: '123123' })).statusCode)
  t.same(codes.filter(code => code === 422).length, 20)
  t.equal(codes.at(-1), 429)
  await db.execute(sql`delete from sign_in_failures`)
  t.match(await one(db, sql`select kind from events where kind = 'factor-guessed'`), {})
})

t.test('S19: what ends sessions ends sign-ins that wait for the second factor', async t => {
  const visitor = await browser()
  await signIn(visitor, 'ben')
  await db.execute(sql`delete from sessions where person_id = ${ids.ben}`)
  const answer = await visitor.post('/sign-in/second-factor', { code: '123456' })
  t.match(answer, { statusCode: 303, headers: { location: '/sign-in?late=1' } })
  const ada = await browser('ada')
  await signIn(visitor, 'ada')
  const page = (await ada.get('/me')).body
  const live = await one<{ n: number }>(
    db,
    sql`select count(*)::int as n from sessions where person_id = ${ids.ada} and ends_at > created_at + interval '1 hour'`
  )
  t.equal(page.match(/<li class="session">/g)?.length, live.n, 'it is not listed as a session')
})

t.test('S22: people without a required factor reach nothing but setting it up, on every route', async t => {
  await rule(db, 'everybody')
  t.teardown(() => rule(db, 'off'))
  const dan = await browser()
  t.equal((await signIn(dan, 'dan')).statusCode, 303)
  const allowed = ['/me/second-factor', '/me/passkeys', '/me/passkeys/options', '/sign-out']
  const before = await sessionsOf(ids.dan)
  for (const { method, url, pattern, access } of routesOf(app, unknownRows)) {
    if (access === 'anyone' || access === 'operator' || allowed.includes(pattern) || method === 'HEAD') continue
    const answer = method === 'GET' ? await dan.get(url) : await dan.post(url)
    if (method === 'GET') t.match(answer, { statusCode: 303, headers: { location: '/me/second-factor' } }, pattern)
    else t.equal(answer.statusCode, 403, `${method} ${pattern}`)
  }
  const open = app.declaredRoutes.filter(({ config }) => config.withoutFactor).map(({ url }) => url)
  t.same(
    [...new Set(open)].filter(url => !allowed.includes(url)),
    []
  )
  t.equal(await sessionsOf(ids.dan), before)
  const page = (await dan.get('/me/second-factor')).body
  t.match(page, 'Set up a second factor to continue.')
  t.notMatch(page, 'aria-label="Main"')

  const old = dan.cookie
  await setUpFactor(dan)
  t.not(dan.cookie, old, 'S19: a new session')
  t.equal((await dan.get('/me')).statusCode, 200)
  const thief = await browser()
  thief.cookie = old
  t.equal((await thief.get('/me/second-factor')).headers.location, '/sign-in?next=%2Fme%2Fsecond-factor')
})

t.test(
  'turning it off takes the password or a code, ends other sessions, and limits where one is required',
  async t => {
    const dan = await browser('dan')
    const other = await browser('dan')
    t.equal((await dan.post('/me/second-factor', { act: 'off', code: '111111' })).statusCode, 422)
    t.equal((await dan.post('/me/second-factor', { act: 'off', current_password: 'wrong' })).statusCode, 422)
    await rule(db, 'everybody')
    t.equal((await dan.post('/me/second-factor', { act: 'off', current_password: goodPassword })).statusCode, 303)
    t.equal((await other.get('/me')).headers.location, '/sign-in?next=%2Fme')
    t.equal((await dan.get('/me')).headers.location, '/me/second-factor')
    await rule(db, 'off')
    t.equal(
      (await one<{ n: number }>(db, sql`select count(*)::int as n from recovery_codes where person_id = ${ids.dan}`)).n,
      0
    )
    const again = await browser()
    t.equal((await signIn(again, 'dan')).headers.location, '/me', 'no second factor')
  }
)

t.test('S40: eight characters are enough beside a second factor, and only beside it', async t => {
  const dan = await browser('dan')
  const change = (visitor: Browser, current: string, password: string) =>
    visitor.post('/me', { current_password: current, password })
  t.equal((await change(dan, goodPassword, 'w7kd2mzq')).statusCode, 422)
  const { secret, codes } = await setUpFactor(dan)
  t.equal((await change(dan, goodPassword, 'w7kd2mz')).statusCode, 422, 'seven')
  t.equal((await change(dan, goodPassword, 'w7kd2mzq')).statusCode, 303)
  const off = await dan.post('/me/second-factor', { act: 'off', current_password: 'w7kd2mzq' })
  t.equal(off.statusCode, 422)
  t.match(off.body, 'at least 15 characters')
  t.equal((await dan.post('/me/second-factor', { act: 'off', code: codes[3] ?? '' })).statusCode, 303)
  const again = await browser()
  await signIn(again, 'dan', 'w7kd2mzq')
  t.equal((await again.get('/me')).headers.location, '/me/second-factor', 'a short password alone opens nothing')
  t.ok(secret)
})

t.test('what was entered when the session had ended survives the second factor', async t => {
  await db.execute(sql`delete from sign_in_failures`)
  const eve = await addUser(db, 'eve', 'admin')
  const visitor = await browser()
  await signIn(visitor, 'eve')
  const { codes } = await setUpFactor(visitor)
  await db.execute(sql`update sessions set ends_at = now() where person_id = ${eve}`)
  const ended = await visitor.post('/invite', { email: ['typed@larkfield.example', '', '', '', ''] })
  t.equal(ended.statusCode, 401)
  const kept = /name="kept" value="([\w-]+)"/.exec(ended.body)?.[1] ?? ''
  const asked = await visitor.post('/sign-in', {
    email: 'eve@larkfield.example',
    password: goodPassword,
    kept,
    next: '/invite'
  })
  t.equal(asked.statusCode, 200)
  t.match(asked.body, `name="kept" value="${kept}"`)
  const answer = await visitor.post('/sign-in/second-factor', { code: codes[0] ?? '', kept })
  t.equal(answer.statusCode, 200)
  t.match(answer.body, 'Send what you entered?')
  t.match(answer.body, 'typed@larkfield.example')
})

t.test('S15: the secret is sealed at rest, in its row only', async t => {
  const { secret } = await one<{ secret: Buffer }>(
    db,
    sql`select secret from totp_secrets where person_id = ${ids.ada}`
  )
  t.equal(secret[0], 1)
  await db.execute(sql`update totp_secrets set secret = ${secret} where person_id = ${ids.ben}`)
  const visitor = await browser()
  await signIn(visitor, 'ben')
  t.equal((await visitor.post('/sign-in/second-factor', { code: '123456' })).statusCode, 422)
})
