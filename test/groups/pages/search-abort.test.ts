import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { startApp } from '../../support/app.ts'
import { until } from '../../support/server.ts'

t.test('when the browser disconnects, the search in the directory is abandoned', async t => {
  // accepts every connection and never answers
  const sockets = new Set<Socket>()
  const silent = net.createServer(socket => void sockets.add(socket.on('error', () => {}).resume()))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const app = await startApp({
    environment: { LDAP_URL: `ldap://127.0.0.1:${port}`, LDAP_BASE_DN: 'dc=larkfield,dc=example', LDAP_SIGN_IN: 'on' }
  })
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    silent.close()
    await app.close()
  })
  const ben = await app.browser('ben')
  await app.app.listen({ port: 0, host: '127.0.0.1' })
  const request = http.get({
    ...{ host: '127.0.0.1', port: (app.app.server.address() as AddressInfo).port, path: '/groups?q=engineering' },
    ...{ agent: false, headers: { host: 'localhost:3000', cookie: ben.cookie! } }
  })
  request.on('error', () => {})
  await until(() => sockets.size === 1)
  const [asked] = sockets
  t.notOk(asked!.destroyed, 'the directory is being waited for')
  request.destroy()
  await until(() => asked!.destroyed)
  t.ok(asked!.destroyed)
})
