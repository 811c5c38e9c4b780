/** Where a provider may be inside of the network (S12): only where the operator says so. */
import net, { type AddressInfo } from 'node:net'
import t from 'tap'
import { readConfig } from '../../src/config/env.ts'
import { allowedFor } from '../../src/oidc/settings.ts'
import { startApp } from '../support/app.ts'
import { startProvider } from '../support/provider.ts'
import { putInForce } from '../support/sso.ts'

const configOf = (environment: Record<string, string>) => ({ config: readConfig(environment) })
const client = { OIDC_CLIENT_ID: 'rollcall', OIDC_CLIENT_SECRET: 'secret' }

t.test('S12: OIDC_ISSUER opens exactly its host and port', async t => {
  const deps = configOf({
    BASE_URL: 'https://rollcall.example',
    OIDC_ISSUER: 'https://id.intranet.example/realms/one',
    ...client
  })
  t.same(allowedFor(deps, 'https://id.intranet.example/realms/one'), ['id.intranet.example:443'])
  t.same(allowedFor(deps, 'https://id.intranet.example/realms/two'), [])
  t.same(allowedFor(deps, 'https://10.0.0.1'), [])
})

t.test('S12: loopback is open only while Rollcall itself is only on loopback', async t => {
  for (const issuer of ['http://127.0.0.1:4000', 'http://localhost:4000', 'http://[::1]:4000']) {
    t.equal(allowedFor(configOf({ BASE_URL: 'http://localhost:3000' }), issuer).length, 1, issuer)
    t.same(allowedFor(configOf({ BASE_URL: 'https://rollcall.example' }), issuer), [], issuer)
  }
  for (const issuer of [
    'https://10.0.0.1',
    'https://169.254.169.254',
    'https://id.example',
    'https://localhost.example',
    'https://127.0.0.1.nip.example',
    'http://127.1:4000',
    'http://2130706433:4000',
    'http://0x7f.0.0.1:4000',
    'http://LOCALHOST:4000'
  ])
    t.same(allowedFor(configOf({ BASE_URL: 'http://localhost:3000' }), issuer), [], issuer)
})

t.test(
  'S12: a provider inside that an owner enters in the console is not reached, and the page says what to do',
  async t => {
    let connections = 0
    const server = net.createServer(socket => {
      connections += 1
      socket.destroy()
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    t.teardown(() => void server.close())
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const rollcall = await startApp({ environment: { BASE_URL: 'https://rollcall.larkfield.example' } })
    t.teardown(rollcall.close)
    await putInForce(rollcall.db, { issuer, clientId: 'rollcall', clientSecret: 'secret' })
    const ask = async (url: string, as?: 'ada') => {
      const cookie = (as && (await rollcall.browser(as)).cookie) ?? ''
      return rollcall.app.inject({ url, headers: { host: 'rollcall.larkfield.example', cookie } })
    }
    const visitor = await ask('/sign-in/oidc')
    t.equal(visitor.statusCode, 502)
    t.notMatch(visitor.body, /127\.0\.0\.1|OIDC_ISSUER/, 'strangers read no address')
    t.match(rollcall.logged.join(''), 'OIDC_ISSUER')
    const owner = await ask('/settings/sign-in/test', 'ada')
    t.match(owner.body, 'The provider is at a private address')
    t.match(owner.body, 'connects only to the host and port of OIDC_ISSUER')
    t.equal(connections, 0)
  }
)

t.test('S12: the same provider works when the operator sets OIDC_ISSUER', async t => {
  const baseUrl = 'https://rollcall.larkfield.example'
  const provider = await startProvider({ baseUrl })
  t.teardown(provider.close)
  const { app, close } = await startApp({ environment: { BASE_URL: baseUrl, ...provider.environment } })
  t.teardown(close)
  const answer = await app.inject({ url: '/sign-in/oidc', headers: { host: 'rollcall.larkfield.example' } })
  t.equal(answer.statusCode, 303)
  provider.lies.discovery = document => void Object.assign(document, { token_endpoint: 'http://127.0.0.1:1/token' })
})
