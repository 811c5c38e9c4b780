import t from 'tap'
import { baseUrl, encode, startApp } from '../support/app.ts'
import { forms, realRows, routesOf, unknownRows, writes } from '../support/routes.ts'
import { everyRow } from '../support/rows.ts'

const rollcall = await startApp()
const { app, db, browser, close } = rollcall
t.teardown(close)
const ada = await browser('ada')
const real = writes(routesOf(app, await realRows(rollcall)))

const evil = 'https://evil.example'
/** Other servers post here, with a proof of their own. */
const openToAll = ['/unsubscribe/:token', '/sign-in/oidc/logout']
const forged: Record<string, string>[] = [
  { origin: evil, 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'cross-site' },
  { origin: baseUrl, 'sec-fetch-site': 'cross-site' },
  { origin: 'http://other.localhost:3000', 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: evil, 'sec-fetch-site': 'none' },
  { origin: evil, 'sec-fetch-site': 'same-origin' },
  { origin: 'null' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { origin: evil },
  { origin: 'https://localhost:3000' },
  { origin: 'http://localhost' },
  { origin: 'http://localhost:3000.evil.example' },
  { origin: `${baseUrl}/` },
  { origin: evil, 'content-type': 'text/plain' },
  { 'content-type': 'text/plain' },
  { origin: evil, 'hx-request': 'true' },
  { 'x-http-method-override': 'GET' },
  {}
]

function send(method: string, url: string, pattern: string, headers: Record<string, string>) {
  const own = { host: 'localhost:3000', 'content-type': 'application/x-www-form-urlencoded', cookie: ada.cookie! }
  return app.inject({
    method: method as 'POST',
    url,
    payload: encode(forms[pattern] ?? {}),
    headers: { ...own, ...headers }
  })
}

t.test('S18: no form from outside our own pages reaches a handler', async t => {
  const before = await everyRow(db)
  const closed = real.filter(({ pattern }) => !openToAll.includes(pattern))
  t.ok(closed.length >= 20, 'the application lists them')
  for (const { method, url, pattern } of closed) {
    const answers = await Promise.all(forged.map(headers => send(method, url, pattern, headers)))
    for (const [index, { statusCode }] of answers.entries())
      t.equal(statusCode, 403, `${method} ${pattern} ${JSON.stringify(forged[index])}`)
  }
  t.same(await everyRow(db), before)
})

t.test('S18: methods and addresses that no page uses are refused as well', async t => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    t.equal((await send(method, '/people/1', '', { origin: evil })).statusCode, 403, method)
    t.equal((await send(method, '/nowhere', '', { origin: evil })).statusCode, 403, method)
    t.equal((await send(method, '/nowhere', '', { origin: baseUrl })).statusCode, 404, method)
  }
})

t.test('S18: our own forms pass, with JavaScript and without, even if a browser sends no fetch metadata', async t => {
  const own: Record<string, string>[] = [
    { origin: baseUrl, 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin' },
    { origin: baseUrl },
    { origin: baseUrl, 'sec-fetch-site': 'same-origin', 'hx-request': 'true' }
  ]
  const open = writes(routesOf(app, unknownRows)).filter(({ pattern }) => pattern !== '/sign-out')
  for (const { method, url, pattern } of open)
    for (const headers of own) {
      const { statusCode } = await send(method, url, pattern, headers)
      t.not(statusCode, 403, `${method} ${pattern} ${JSON.stringify(headers)}`)
    }
})

t.test('S18: only the one-click opt-out and the logout token of the provider may come from anywhere', async t => {
  const open = real.filter(({ pattern }) =>
    app.declaredRoutes.some(({ url, config }) => url === pattern && config.anyOrigin)
  )
  t.same(open.map(({ pattern }) => pattern).toSorted(), openToAll.toSorted())
  for (const { url, pattern } of open)
    for (const headers of forged.filter(headers => !headers['content-type'])) {
      const { statusCode } = await send('POST', url, pattern, headers)
      t.equal(statusCode, pattern === '/unsubscribe/:token' ? 200 : 400, `${pattern} ${JSON.stringify(headers)}`)
    }
})
