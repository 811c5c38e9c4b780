import t from 'tap'
import { goodPassword, setupToken, startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'
import { everyRow } from '../support/rows.ts'

const fields = {
  ...{
    token: setupToken,
    organization: ' Larkfield ',
    domains: 'Larkfield.example, @larkfield-retail.example;\nмосква.example x.example'
  },
  ...{ name: 'Ada', email: 'Ada@Elsewhere.example', password: goodPassword }
}

t.test('the first owner sets Rollcall up once, is signed in, and sees the dashboard', async t => {
  const { db, browser, close } = await startApp({ isSetUp: false })
  t.teardown(close)
  const ada = await browser()
  const page = await ada.get(`/setup?token=${setupToken}`)
  t.equal(page.statusCode, 200)
  t.match(page.body, `name="token" value="${setupToken}"`)
  const answer = await ada.post('/setup', fields)
  t.match(answer, { statusCode: 303, headers: { location: '/' } })
  t.equal((await ada.get('/')).statusCode, 200)
  const { names } = await one<{ names: string[] }>(db, sql`select array_agg(name order by name) as names from domains`)
  t.same(names, ['larkfield-retail.example', 'larkfield.example', 'x.example', 'xn--80adxhks.example'])
  t.match(await one(db, sql`select organization, invitation_days from settings`), {
    organization: 'Larkfield',
    invitationDays: 14
  })
  t.match(await one(db, sql`select email, address_key, role from people`), {
    email: 'Ada@elsewhere.example',
    role: 'owner'
  })
  t.match(await one(db, sql`select count(*) as n from events where kind = 'organization-set-up'`), { n: 1 })

  for (const visitor of [ada, await browser()]) {
    t.equal((await visitor.get(`/setup?token=${setupToken}`)).statusCode, 404)
    t.equal((await visitor.post('/setup', fields)).statusCode, 404)
  }
})

t.test('S42: without the printed link no one can set Rollcall up, and the page says where to find it', async t => {
  const { db, browser, close } = await startApp({ isSetUp: false })
  t.teardown(close)
  const eve = await browser()
  const wrong = ['', 'x', setupToken.slice(1), `${setupToken}x`, setupToken.toLowerCase(), 'A'.repeat(43), '__proto__']
  for (const token of wrong) {
    const page = await eve.get(`/setup?token=${token}`)
    t.equal(page.statusCode, 403, token)
    t.match(page.body, 'Set it up once at')
    t.notOk(page.body.includes(setupToken))
    const answer = await eve.post('/setup', { ...fields, token })
    t.equal(answer.statusCode, 403, token)
    t.match(answer.body, 'Set it up once at')
  }
  t.equal((await eve.get('/setup')).statusCode, 403)
  const { token: _, ...without } = fields
  t.equal((await eve.post('/setup', without)).statusCode, 403)
  t.same(
    (await everyRow(db)).filter(row => /^(people|settings|sessions|domains) /.test(row)),
    []
  )
})

t.test('S42: there is no account before setup, and signing in points to the link', async t => {
  const { browser, close } = await startApp({ isSetUp: false })
  t.teardown(close)
  const visitor = await browser()
  t.match(await visitor.get('/'), { statusCode: 303, headers: { location: '/sign-in' } })
  t.match((await visitor.get('/sign-in')).body, 'Set it up once at')
  for (const email of ['admin@localhost', 'admin', 'root', 'ada@larkfield.example'])
    t.equal((await visitor.post('/sign-in', { email, password: 'admin' })).statusCode, 422)
})

t.test('S42: when several browsers set up at the same time, one becomes the owner', async t => {
  const { db, browser, close } = await startApp({ isSetUp: false })
  t.teardown(close)
  const answers = await Promise.all(
    Array.from({ length: 8 }, async (_, index) =>
      (await browser()).post('/setup', {
        ...fields,
        organization: `Firm ${index}`,
        email: `owner${index}@larkfield.example`
      })
    )
  )
  const codes = answers.map(({ statusCode }) => statusCode)
  t.equal(codes.filter(code => code === 303).length, 1)
  t.equal(codes.filter(code => code === 404).length, 7)
  const winner = codes.indexOf(303)
  t.match(await one(db, sql`select count(*) as n, max(email) as email from people`), {
    n: 1,
    email: `owner${winner}@larkfield.example`
  })
  t.match(await one(db, sql`select organization from settings`), { organization: `Firm ${winner}` })
})

t.test('an invalid value keeps the input except the password, and sets nothing up', async t => {
  const { db, browser, close } = await startApp({ isSetUp: false })
  t.teardown(close)
  const ada = await browser()
  const wrong: [string, string][] = [
    ['organization', ''],
    ['organization', 'x'.repeat(201)],
    ['organization', 'two\nlines'],
    ['domains', ''],
    ['domains', ' ,;\n '],
    ['domains', 'larkfield.example, not_a_domain!'],
    ['domains', 'ada@larkfield.example'],
    ['name', ' '],
    ['email', 'ada'],
    ['email', 'ada@larkfield.example, eve@evil.example'],
    ['password', 'short']
  ]
  for (const [name, value] of wrong) {
    const answer = await ada.post('/setup', { ...fields, [name]: value })
    t.equal(answer.statusCode, 422, `${name}=${value}`)
    t.match(answer.body, `href="#${name}"`)
    t.match(answer.body, /id="errors" autofocus/)
    if (name !== 'name') t.match(answer.body, 'value="Ada"')
    t.match(answer.body, `name="token" value="${setupToken}"`, 'the next try needs no new link')
    t.notOk(answer.body.includes(goodPassword))
  }
  t.same(
    (await everyRow(db)).filter(row => /^(people|settings|domains) /.test(row)),
    []
  )
  t.equal((await ada.post('/setup', fields)).statusCode, 303)
})
