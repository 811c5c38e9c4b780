import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { goodPassword, startApp } from '../support/app.ts'
import { layCable } from '../support/cut-database.ts'
import { forms, routesOf, unknownRows } from '../support/routes.ts'

const cable = layCable()
const rollcall = await startApp({ through: cable.through })
const { app, db, browser, logged, close } = rollcall
t.teardown(() => close().finally(cable.cut))
/** A broken connection is noticed at the next query at the latest. */
async function untilBack(ask: () => Promise<LightMyRequestResponse>): Promise<LightMyRequestResponse> {
  const answer = await ask()
  return answer.statusCode === 503 ? untilBack(ask) : answer
}

const telling =
  /at .*\.ts|node_modules|select .* from|insert into|relation|column|postgres|fastify|node\/|localhost:5432|\/tmp\/|PGSQL|ECONN/i

t.test('S41: an internal error shows a page with the request’s number, which is in the log too', async t => {
  const ada = await browser('ada')
  await db.$client`alter table batches rename to elsewhere`
  logged.length = 0
  const answer = await ada.get('/batches')
  const post = await ada.post('/invite', { email: 'nora@larkfield.example' })
  await db.$client`alter table elsewhere rename to batches`
  for (const { statusCode, body, headers } of [answer, post]) {
    t.equal(statusCode, 500)
    const id = /Request <code>([^<]+)<\/code>/.exec(body)?.[1]
    t.ok(id)
    t.ok(logged.some(line => line.includes('request failed') && (JSON.parse(line) as { reqId: string }).reqId === id))
    t.notMatch(body.replace(/<(link|script|use)[^>]*>/g, ''), telling)
    t.notMatch(JSON.stringify(headers), telling)
  }
  t.equal((await ada.get('/batches')).statusCode, 200, 'and it keeps working')
})

t.test('S41: without the database every page says so and when to try again, and reveals no internals', async t => {
  const ada = await browser('ada')
  cable.cut()
  logged.length = 0
  for (const { method, url, pattern } of routesOf(app, unknownRows)) {
    if (method === 'HEAD' || pattern === '/live' || pattern === '/ready' || pattern === '/assets/:name') continue
    const answer = method === 'GET' ? await ada.get(url) : await ada.post(url, forms[pattern] ?? {})
    t.equal(answer.statusCode, 503, `${method} ${pattern}`)
    t.match(answer.headers, { 'retry-after': /^\d+$/, 'content-type': /^text\/html/, 'cache-control': 'no-store' })
    t.match(answer.body, 'The database is not answering')
    t.notMatch(answer.body.replace(/<(link|script|use)[^>]*>/g, ''), telling)
  }
  t.notMatch(logged.join(''), /"level":(50|60).*(nobody@|seven-otters)/)
  await cable.mend()
  t.equal((await untilBack(() => ada.get('/people'))).statusCode, 200, 'back without a restart')
})

t.test('if the database goes down during a sign-in, no one is signed in', async t => {
  const visitor = await browser()
  cable.cut()
  const fields = { email: 'ada@larkfield.example', password: goodPassword }
  t.equal((await visitor.post('/sign-in', fields)).statusCode, 503)
  t.equal(visitor.cookie, undefined)
  await cable.mend()
  t.equal((await untilBack(() => visitor.post('/sign-in', fields))).statusCode, 303)
})

t.test('the page of an unknown address links to a page that the reader may open', async t => {
  t.match((await (await browser('ada')).get('/nowhere')).body, 'href="/"')
  t.match((await (await browser('dan')).get('/nowhere')).body, 'href="/me"')
  const page = await (await browser()).get('/nowhere')
  t.equal(page.statusCode, 404)
  t.match(page.body, '<h1>Not found</h1>')
})

t.test('at an unknown address people without a session are led to sign-in', async t => {
  const out = await (await browser()).get('/nowhere')
  t.equal(out.statusCode, 404)
  t.match(out.body, /<a class="btn primary" href="\/sign-in">Sign in<\/a>/)
  t.match((await (await browser('ada')).get('/nowhere')).body, /href="\/">Go to the dashboard</)
})
