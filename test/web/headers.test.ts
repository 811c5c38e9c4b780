import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { startApp } from '../support/app.ts'
import { forms, realRows, routesOf } from '../support/routes.ts'

const rollcall = await startApp()
const { app, db, browser, close } = rollcall
t.teardown(close)
const rows = await realRows(rollcall)

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
const policies: Record<string, string> = {
  '/outbox/:id': `${policy}; frame-src 'self'`,
  '/outbox/:id/html': "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox"
}

function checkHeaders(t: Test, answer: LightMyRequestResponse, name: string, pattern = '') {
  const expected = {
    'content-security-policy': answer.statusCode === 200 ? (policies[pattern] ?? policy) : policy,
    'x-frame-options': pattern === '/outbox/:id/html' && answer.statusCode === 200 ? 'SAMEORIGIN' : 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': pattern === '/assets/:name' && answer.statusCode === 200 ? /^public, max-age=/ : 'no-store'
  }
  t.match(answer.headers, expected, `${answer.statusCode} ${name}`)
  t.equal(answer.headers['strict-transport-security'], undefined, `plain http: ${name}`)
  for (const tell of ['server', 'x-powered-by', 'via']) t.notOk(answer.headers[tell], `${tell}: ${name}`)
}

t.test('S17, S32: every route sends all security headers to everyone', async t => {
  const visitors = await Promise.all([browser('ada'), browser('dan'), browser()])
  for (const { method, url, pattern } of routesOf(app, rows)) {
    for (const { cookie } of visitors) {
      const headers = { host: 'localhost:3000', ...(cookie ? { cookie } : {}) }
      const answer = await app.inject({ method: method as 'GET', url, headers })
      checkHeaders(t, answer, `${method} ${pattern}`, pattern)
    }
  }
})

t.test('S32: over https browsers are told to use https for a year, for this host only', async t => {
  const https = await startApp({ environment: { BASE_URL: 'https://rollcall.larkfield.example' } })
  t.teardown(https.close)
  const host = 'rollcall.larkfield.example'
  for (const [url, asked] of [
    ['/sign-in', host],
    ['/people', host],
    ['/nowhere', host],
    ['/live', '10.0.0.7'],
    ['/', 'x.example']
  ]) {
    const { headers } = await https.app.inject({ url: url!, headers: { host: asked! } })
    t.equal(headers['strict-transport-security'], 'max-age=31536000', String(url))
  }
})

t.test('S17, S32: redirects and every kind of error send them too', async t => {
  const ada = await browser('ada')
  const nobody = await browser()
  const answers: [number, Promise<LightMyRequestResponse>][] = [
    [200, ada.get('/')],
    [303, nobody.get('/people')],
    [303, ada.post('/me', forms['/me'])],
    [400, ada.get('/people?q=%ff')],
    [400, ada.post('/me', { unknown: 'x' })],
    [401, nobody.post('/me')],
    [403, (await browser('dan')).get('/people')],
    [403, ada.post('/me', {}, { origin: 'https://evil.example' })],
    [404, ada.get('/nowhere')],
    [404, ada.get('/people/%ff')],
    [404, ada.get(`/join/${'a'.repeat(5000)}`)],
    [404, ada.get('/assets/none.css')],
    [404, ada.get('/setup')],
    [409, ada.post(`/people/${rows.people}/reactivation`)],
    [413, ada.post('/me', { name: 'x'.repeat(1_000_000) })],
    [415, ada.post('/me', {}, { 'content-type': 'application/json' })],
    [421, ada.get('/', { host: 'evil.example' })],
    [422, ada.post('/me', { name: '' })]
  ]
  for (const [status, asked] of answers) {
    const answer = await asked
    t.equal(answer.statusCode, status)
    t.match(answer.headers['content-type'] ?? 'text/html', /^text\/html/, `${status} is a page`)
    checkHeaders(t, answer, answer.raw.req.url ?? '')
  }
  await db.$client`alter table batches rename to elsewhere`
  const broken = await ada.get('/batches')
  t.equal(broken.statusCode, 500)
  checkHeaders(t, broken, '/batches')
})

t.test('S17: no page has its own script or style', async t => {
  const ada = await browser('ada')
  for (const url of [
    '/',
    '/people',
    `/people/${rows.people}`,
    '/invite',
    '/me',
    '/settings/organization',
    '/nowhere'
  ]) {
    const { body } = await ada.get(url)
    t.notMatch(body, /<script(?! src="\/assets\/)|<style|\sstyle=|\son[a-z]+=|javascript:/i, url)
  }
})
