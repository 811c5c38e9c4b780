/** A session that ended during typing: no input is lost, and none is sent automatically. */
import t from 'tap'
import { type Browser, baseUrl, goodPassword, startApp } from '../support/app.ts'
import { multipart } from '../support/multipart.ts'
import { sql } from '../support/people.ts'

const { db, app, ids, browser, close } = await startApp()
t.teardown(close)
const referer = { referer: `${baseUrl}/invite` }
const emails = { email: ['nora@larkfield.example', 'a "quoted" <b>, née@larkfield.example', '', '', ''], team: '' }

async function endSession(visitor: Browser) {
  await db.execute(sql`update sessions set last_seen_at = now() - interval '31 minutes'`)
  t.equal((await visitor.get('/me')).statusCode, 303)
}
const keptIn = (body: string) => /name="kept" value="([^"]+)"/.exec(body)?.[1]
const signIn = (visitor: Browser, name: string, kept: string, next = '/invite') =>
  visitor.post('/sign-in', { email: `${name}@larkfield.example`, password: goodPassword, next, kept })
const batches = async () => (await db.execute(sql`select from batches`)).length
const decoded = (text: string) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')

t.test('input is kept while signing in, then shown, and sent with one button', async t => {
  const ben = await browser('ben')
  await endSession(ben)
  const answer = await ben.post('/invite', emails, referer)
  t.equal(answer.statusCode, 401)
  t.equal(answer.headers['hx-redirect'], '/sign-in?next=%2Finvite')
  t.match(answer.body, 'What you entered is kept.')
  t.match(answer.body, 'a &quot;quoted&quot; &lt;b&gt;, née@larkfield.example')
  t.match(answer.body, 'name="next" value="/invite"')
  const wrong = await ben.post('/sign-in', {
    email: 'ben@larkfield.example',
    password: 'wrong',
    next: '/invite',
    kept: keptIn(answer.body)!
  })
  t.equal(wrong.statusCode, 422)
  const kept = keptIn(wrong.body)!
  t.equal(kept, keptIn(answer.body), 'a wrong password loses nothing')
  const back = await signIn(ben, 'ben', kept)
  t.equal(back.statusCode, 200)
  t.match(back.body, 'Send what you entered?')
  t.match(back.body, '<form method="post" action="/invite"')
  t.equal(await batches(), 0, 'nothing is sent by itself')
  const fields = [...back.body.matchAll(/<textarea class="sr" name="([^"]+)" hidden>\n([^<]*)<\/textarea>/g)]
  t.same(
    fields.map(([, name, value]) => [name, decoded(value!)]),
    [...emails.email.map(value => ['email', value]), ['team', '']]
  )
  t.equal((await ben.post('/invite', { email: emails.email[0]! })).statusCode, 303, 'and then it is an ordinary form')
})

t.test('it belongs to the same person: others read that it was discarded', async t => {
  const ben = await browser('ben')
  await endSession(ben)
  const kept = keptIn((await ben.post('/invite', emails, referer)).body)!
  const answer = await signIn(ben, 'ada', kept)
  t.equal(answer.statusCode, 303)
  const page = (await ben.get('/invite')).body
  t.match(page, 'belongs to someone else and was discarded')
  t.notMatch(page, 'quoted')
  for (const forged of [
    'x',
    `${kept.slice(0, -4)}AAAA`,
    Buffer.from(JSON.stringify({ personId: ids.ben, action: '/', fields: [] })).toString('base64url')
  ]) {
    const visitor = await browser()
    t.equal((await signIn(visitor, 'ben', forged)).statusCode, 303)
    t.match((await visitor.get('/invite')).body, 'could not be kept')
  }
})

t.test(
  'passwords are never kept, files must be selected again, and an unknown session only shows the input',
  async t => {
    const dan = await browser('dan')
    await endSession(dan)
    const secret = (
      await dan.post('/me', { name: 'Dan the New', current_password: goodPassword, password: 'nine-herons-walk' })
    ).body
    t.match(secret, 'Passwords are not kept.')
    t.match(secret, 'Dan the New')
    t.notMatch(secret, /nine-herons|seven-otters/)
    t.equal(keptIn(secret), undefined)
    const file = await dan.upload(
      '/bulk',
      multipart({ action: 'send' }, { name: 'people.txt', content: 'a@larkfield.example' })
    )
    t.equal(file.statusCode, 401)
    t.match(file.body, 'Choose it again after you sign in.')
    const nobody = await browser()
    const page = (await nobody.post('/invite', emails)).body
    t.match(page, 'Copy what you entered before you sign in.')
    t.match(page, 'nora@larkfield.example')
    t.equal(keptIn(page), undefined)
    const large = await dan.post('/teams', { name: 'x'.repeat(50_000) })
    t.equal(large.statusCode, 401)
    t.equal(keptIn(large.body), undefined)
    const many = { host: 'localhost:3000', origin: baseUrl, 'content-type': 'application/x-www-form-urlencoded' }
    t.equal(
      (await app.inject({ method: 'POST', url: '/teams', payload: 'a&'.repeat(15_000), headers: many })).statusCode,
      401
    )
  }
)

t.test('origin and role are checked before and after', async t => {
  const cleo = await browser('cleo')
  await endSession(cleo)
  t.equal((await cleo.post('/invite', emails, { origin: 'https://evil.example' })).statusCode, 403)
  const answer = await cleo.post('/invite', emails, { referer: 'https://evil.example/x' })
  t.equal(answer.headers['hx-redirect'], '/sign-in', 'no page of another site')
  const back = await signIn(cleo, 'cleo', keptIn(answer.body)!, '')
  t.equal(back.statusCode, 200)
  t.equal((await cleo.post('/invite', emails)).statusCode, 403, 'an auditor still cannot invite')
})

t.test('a part of a page leads back to its page', async t => {
  const cleo = await browser('cleo')
  await endSession(cleo)
  const page = { 'hx-request': 'true', 'hx-current-url': `${baseUrl}/people?q=nor` }
  const answer = await cleo.get('/people?q=nora', page)
  t.equal(answer.statusCode, 401)
  t.equal(answer.headers['hx-redirect'], `/sign-in?next=${encodeURIComponent('/people?q=nor')}`)
})
