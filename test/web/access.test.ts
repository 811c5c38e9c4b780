import t from 'tap'
import { type Browser, type Persona, startApp } from '../support/app.ts'
import { forms, realRows, routesOf, type TestRoute, unknownRows } from '../support/routes.ts'
import { everyRow } from '../support/rows.ts'

const rollcall = await startApp()
const { app, db, browser, close } = rollcall
t.teardown(close)
const known = routesOf(app, await realRows(rollcall)).filter(({ method }) => method !== 'HEAD')
const unknown = routesOf(app, unknownRows).filter(({ method }) => method !== 'HEAD')

/** The smallest role of each route, as docs/requirements.md (Roles) gives it. */
const smallest: Record<string, string> = {
  ...all('operator', ['GET /live', 'GET /ready', 'GET /metrics']),
  ...all('anyone', ['GET /assets/:name', 'GET /setup', 'POST /setup', 'GET /sign-in', 'POST /sign-in']),
  ...all('anyone', ['GET /join/:token', 'POST /join/:token', 'POST /join/:token/requests']),
  ...all('anyone', ['POST /sign-in/link', 'GET /sign-in/second-factor', 'POST /sign-in/second-factor']),
  ...all('anyone', ['GET /forgotten', 'POST /forgotten', 'GET /forgotten/:token', 'POST /forgotten/:token']),
  ...all('anyone', ['GET /sign-in/once/:token', 'POST /sign-in/once/:token']),
  ...all('anyone', [
    'GET /sign-in/oidc',
    'GET /sign-in/oidc/callback',
    'POST /sign-in/oidc/logout',
    'GET /join/:token/oidc'
  ]),
  ...all('owner', ['POST /settings/mail/test']),
  ...all('owner', ['POST /settings/sign-in', 'GET /settings/sign-in/test', 'POST /settings/sign-in/test']),
  ...all('member', ['POST /me/password-link']),
  ...all('owner', ['POST /people/:id/sessions/end', 'POST /people/:id/sessions/:session/end']),
  ...all('owner', ['POST /people/:id/second-factor/removal', 'POST /people/:id/provider-account/removal']),
  ...all('anyone', ['POST /sign-in/passkey', 'POST /sign-in/passkey/options']),
  ...all('member', ['GET /me/second-factor', 'POST /me/second-factor']),
  ...all('member', ['GET /me/passkeys', 'POST /me/passkeys', 'POST /me/passkeys/options']),
  ...all('anyone', ['GET /unsubscribe/:token', 'POST /unsubscribe/:token']),
  ...all('member', ['GET /me', 'POST /me', 'POST /me/sessions/:id/end', 'POST /sign-out']),
  ...all('auditor', ['GET /', 'GET /people', 'GET /people.csv', 'GET /people/:id', 'GET /batches', 'GET /batches/:id']),
  ...all('auditor', ['GET /batches/:id/lines.csv', 'GET /activity', 'GET /activity.csv']),
  ...all('auditor', ['GET /batches/:id/corrections', 'GET /groups/entries', 'GET /people/:id/entry']),
  ...all('admin', ['POST /people/:id/entry', 'POST /people/:id/entry/removal', 'POST /people/:id/address']),
  ...all('owner', ['POST /people/:id/entry/password', 'POST /groups/entries/approval']),
  ...all('admin', [
    'GET /invite',
    'POST /invite',
    'POST /invite/check',
    'GET /bulk',
    'POST /bulk',
    'POST /batches/:id/corrections'
  ]),
  ...all(
    'admin',
    ['sending', 'pause', 'resumption', 'cancellation', 'deliveries', 'rest'].map(act => `POST /batches/:id/${act}`)
  ),
  ...all(
    'admin',
    ['invitations', 'deactivation', 'reactivation', 'mail-permission'].map(act => `POST /people/:id/${act}`)
  ),
  ...all(
    'admin',
    ['deliveries', 'revocation', 'link'].map(act => `POST /invitations/:id/${act}`)
  ),
  ...all('admin', ['GET /outbox', 'GET /outbox/:id', 'GET /outbox/:id(^\\d+).eml', 'GET /outbox/:id/html']),
  ...all('auditor', [
    'GET /groups',
    'GET /groups/:id',
    'GET /groups/:id/members.csv',
    'GET /groups/:id/sync-runs/:run',
    'GET /groups/leavers'
  ]),
  ...all('admin', [
    'POST /groups/leavers/approval',
    'POST /groups',
    'GET /groups/:id/review',
    'POST /groups/:id/sync-runs'
  ]),
  ...all(
    'admin',
    ['selections', 'review', 'invitations', 'removal'].map(act => `POST /groups/:id/${act}`)
  ),
  ...all(
    'admin',
    ['approval', 'undo'].map(act => `POST /groups/:id/sync-runs/:run/${act}`)
  ),
  ...all('auditor', ['GET /teams', 'GET /teams/:id', 'GET /teams/:id/members.csv']),
  ...all('admin', ['POST /teams', 'POST /teams/:id/name', 'POST /teams/:id/removal', 'POST /teams/:id/members']),
  ...all('admin', ['POST /teams/:id/members/:person/removal']),
  ...all('owner', [
    'POST /people/:id/role',
    'GET /settings',
    'GET /settings/organization',
    'POST /settings/organization'
  ]),
  ...all('owner', ['GET /settings/mail', 'POST /settings/mail', 'POST /settings/mail/copy', 'GET /settings/directory']),
  ...all('owner', ['POST /settings/directory', 'POST /settings/directory/test', 'GET /settings/sign-in'])
}
function all(role: string, routes: string[]) {
  return Object.fromEntries(routes.map(route => [route, role]))
}

const ranks = ['operator', 'anyone', 'member', 'auditor', 'admin', 'owner']
const personas: Record<string, Persona> = { member: 'dan', auditor: 'cleo', admin: 'ben', owner: 'ada' }
const nameOf = ({ method, pattern }: TestRoute) => `${method} ${pattern}`
const ask = (visitor: Browser, { method, url, pattern }: TestRoute) =>
  method === 'GET' ? visitor.get(url) : visitor.post(url, forms[pattern] ?? {})

t.test('S22: every route declares the role from the product’s definition, and no route is missing', async t => {
  t.same(Object.fromEntries(known.map(route => [nameOf(route), route.access])), smallest)
})

t.test('S22: Rollcall does not start if a route has no role', async t => {
  const { app: other, close } = await startApp()
  t.teardown(close)
  t.throws(() => other.get('/forgotten', async () => 'open'), /GET \/forgotten declares no role/)
  t.throws(() => other.post('/forgotten', { config: {} }, async () => 'open'), /declares no role/)
})

t.test('S22: users with too small a role are refused, and nothing changes', async t => {
  for (const [role, persona] of Object.entries(personas)) {
    const visitor = await browser(persona)
    const before = await everyRow(db)
    const closed = known.filter(({ access }) => ranks.indexOf(access) > ranks.indexOf(role))
    for (const route of closed) t.equal((await ask(visitor, route)).statusCode, 403, `${role}: ${nameOf(route)}`)
    t.same(await everyRow(db), before)
  }
})

t.test('S22: people without a session are asked to sign in, and nothing changes', async t => {
  const nobody = await browser()
  const before = await everyRow(db)
  for (const route of known.filter(({ access }) => access !== 'anyone' && access !== 'operator')) {
    const answer = await ask(nobody, route)
    const next = route.url === '/' ? '' : `?next=${encodeURIComponent(route.url)}`
    if (route.method === 'GET') {
      t.match(answer, { statusCode: 303, headers: { location: `/sign-in${next}` } }, nameOf(route))
      const part = await nobody.get(route.url, { 'hx-request': 'true' })
      t.match(part, { statusCode: 401, headers: { 'hx-redirect': '/sign-in' } }, `htmx: ${nameOf(route)}`)
    } else {
      t.match(answer, { statusCode: 401, headers: { 'hx-redirect': '/sign-in' } }, nameOf(route))
    }
  }
  t.same(await everyRow(db), before)
})

t.test('S22, S23: users with the role have access, and unknown ids are simply not found', async t => {
  for (const [role, persona] of Object.entries(personas)) {
    const visitor = await browser(persona)
    const open = unknown.filter(({ access }) => access !== 'anyone' && ranks.indexOf(access) <= ranks.indexOf(role))
    for (const route of open.filter(({ pattern }) => pattern !== '/sign-out')) {
      const { statusCode } = await ask(visitor, route)
      if (route.pattern.includes(':id')) t.equal(statusCode, 404, `${role}: ${nameOf(route)}`)
      else t.ok([200, 303, 409, 415, 422].includes(statusCode), `${role}: ${nameOf(route)} ${statusCode}`)
    }
  }
})

t.test('S23: an invalid id is not found', async t => {
  const ada = await browser('ada')
  const unreadable = [
    '0',
    '-1',
    '01',
    '1e3',
    '1.5',
    '0x1',
    '%20',
    '1%20',
    '9'.repeat(16),
    'x',
    '%00',
    '%ff',
    '1;drop',
    'a'.repeat(900)
  ]
  for (const id of unreadable) {
    const folders = ['people', 'invitations', 'batches', 'outbox', 'me', 'groups', 'teams']
    const routes = routesOf(app, Object.fromEntries(folders.map(folder => [folder, id])))
    for (const route of routes.filter(({ pattern, method }) => pattern.includes(':id') && method !== 'HEAD'))
      t.equal((await ask(ada, route)).statusCode, 404, `${nameOf(route)} ${id.slice(0, 20)}`)
  }
})

t.test('S23: links to unknown ids are not found', async t => {
  const nobody = await browser()
  for (const route of unknown.filter(({ pattern }) => /:token|:name/.test(pattern)))
    t.equal((await ask(nobody, route)).statusCode, 404, nameOf(route))
})
