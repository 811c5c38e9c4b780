import t from 'tap'
import { accepts } from '../../src/web/assets.ts'
import { isOwnHost, isOwnOrigin } from '../../src/web/host.ts'
import { encode, goodPassword, startApp } from '../support/app.ts'

const own = 'https://rollcall.larkfield.example'

t.test('our host is recognized in any spelling', async t => {
  const spellings: [baseUrl: string, hosts: string[]][] = [
    [own, ['', ':443', ':', ':0443', '.', '.:443'].map(end => `rollcall.larkfield.example${end}`)],
    [own, ['ROLLCALL.Larkfield.EXAMPLE', 'Rollcall.Larkfield.Example.:443']],
    ['http://rollcall.example', ['rollcall.example', 'rollcall.example:80', 'ROLLCALL.EXAMPLE.:80']],
    ['http://localhost:3000', ['localhost:3000', 'LOCALHOST:3000', 'localhost.:3000']],
    ['http://[::1]:3000', ['[::1]:3000', '[0:0:0:0:0:0:0:1]:3000']],
    ['https://[2001:db8::1]', ['[2001:db8::1]', '[2001:DB8::1]:443']],
    ['https://10.0.0.7', ['10.0.0.7', '10.0.0.7:443']]
  ]
  for (const [baseUrl, hosts] of spellings) for (const host of hosts) t.ok(isOwnHost(host, baseUrl), host)
})

t.test('S8: another host is not, however similar', async t => {
  const hosts = [
    ...['', 'rollcall.larkfield.example:80', 'rollcall.larkfield.example:8443', 'rollcall.larkfield.example:443:443'],
    ...['rollcall.larkfield.example..', 'rollcall.larkfield.example/', 'rollcall.larkfield.example@evil.example'],
    ...['evil.example', 'evil.example#rollcall.larkfield.example', 'rollcall.larkfield.example:x', ' ', ':443'],
    ...['[rollcall.larkfield.example]', 'rollcall.larkfield.example, evil.example', `${'a'.repeat(400)}.example`],
    ...['rollcall.larkfield.example\\.evil.example', 'rоllcall.larkfield.example', 'rollcall.larkfield.example:443.']
  ]
  for (const host of hosts) t.notOk(isOwnHost(host, own), host)
  for (const host of ['127.1:3000', '0x7f.1:3000', '2130706433:3000', '127.0.0.1'])
    t.notOk(isOwnHost(host, 'http://127.0.0.1:3000'), host)
  t.notOk(isOwnHost(undefined, own))
})

t.test('S18: an origin is ours only with its scheme', async t => {
  for (const text of [own, `${own}:443`, 'HTTPS://ROLLCALL.larkfield.example', `${own}.`])
    t.ok(isOwnOrigin(text, own), text)
  for (const text of ['null', '', 'http://rollcall.larkfield.example', `${own}/`, `${own}:80`, 'https://evil.example'])
    t.notOk(isOwnOrigin(text, own), text)
})

t.test('if a proxy adds the port and the final dot, pages and forms work', async t => {
  const { app, close } = await startApp({ environment: { BASE_URL: own } })
  t.teardown(close)
  for (const host of ['rollcall.larkfield.example:443', 'ROLLCALL.LARKFIELD.EXAMPLE', 'rollcall.larkfield.example.']) {
    t.equal((await app.inject({ url: '/sign-in', headers: { host } })).statusCode, 200, host)
    for (const origin of [own, `https://${host.toLowerCase()}`]) {
      const headers = { host, origin, 'content-type': 'Application/X-WWW-Form-Urlencoded; Charset=utf-8' }
      const payload = encode({ email: 'ada@larkfield.example', password: goodPassword })
      const answer = await app.inject({ method: 'POST', url: '/sign-in', payload, headers })
      t.equal(answer.statusCode, 303, `${host} from ${origin}`)
      t.equal(answer.headers.location, '/')
    }
  }
  t.equal((await app.inject({ url: '/sign-in', headers: { host: 'rollcall.larkfield.example:80' } })).statusCode, 421)
})

t.test('a compression is used if it is accepted, in any case, and not if its weight is 0', async t => {
  for (const header of ['br', 'gzip, br', 'BR', 'gzip;q=0.5, br;q=0.9', ' br ; q=1', 'br;q=0.001'])
    t.ok(accepts(header, 'br'), String(header))
  for (const header of ['', undefined, 'gzip', 'br;q=0', 'br; q=0.000', 'xbr', 'brotli'])
    t.notOk(accepts(header, 'br'), String(header))
})
