import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { baseUrl, encode, startApp } from '../support/app.ts'

const behind = await startApp({ environment: { TRUST_PROXY: 'loopback, 10.0.0.0/8, fd00::/8' } })
const direct = await startApp()
t.teardown(() => Promise.all([behind.close(), direct.close()]))

const form = { origin: baseUrl, host: 'localhost:3000', 'content-type': 'application/x-www-form-urlencoded' }
let accounts = 0

/** Wrong passwords for an account without any tries yet, one after another. */
async function statusesOf(forwarded: (string | undefined)[], { app } = behind): Promise<number[]> {
  accounts += 1
  const payload = encode({ email: `someone${accounts}@larkfield.example`, password: 'wrong' })
  const statuses: number[] = []
  for (const each of forwarded) {
    const headers = each === undefined ? form : { ...form, 'x-forwarded-for': each }
    statuses.push((await app.inject({ method: 'POST', url: '/sign-in', payload, headers })).statusCode)
  }
  return statuses
}

const isThrottled = async (t: Test, name: string, forwarded: (string | undefined)[], site = behind) =>
  t.same(await statusesOf(forwarded, site), [422, 422, 422, 422, 422, 429], name)

t.test('S21: the sixth wrong password in a minute is refused, whatever a proxy appends to the address', async t => {
  const each = (make: (n: number) => string | undefined) => Array.from({ length: 6 }, (_, n) => make(n))
  await isThrottled(
    t,
    'a port',
    each(n => `203.0.113.10:5000${n}`)
  )
  await isThrottled(
    t,
    'brackets and a port',
    each(n => `[2001:db8::${n}]:5000${n}`)
  )
  await isThrottled(t, 'IPv4 in IPv6', [
    '::ffff:cb00:710a',
    '::ffff:203.0.113.10',
    ...each(() => '203.0.113.10').slice(2)
  ])
  await isThrottled(
    t,
    'zones',
    each(n => `fe80::1%eth${n}`)
  )
  await isThrottled(
    t,
    'no address',
    each(n => `unknown${n}`)
  )
  await isThrottled(t, 'nothing at all', ['', ' ', undefined, 'x', ',', '_a'])
  await isThrottled(
    t,
    'proxies in a row that add ports',
    each(n => `203.0.113.10:${n}, 10.1.2.3:400${n}, [fd00::1]:${n}`)
  )
  await isThrottled(
    t,
    'addresses that the client made up',
    each(n => `198.51.100.${n}, 203.0.113.10`)
  )
  await isThrottled(
    t,
    'a proxy that is not trusted',
    each(n => `203.0.113.${n}`),
    direct
  )
  t.same(await statusesOf(each(n => `203.0.113.${n}`)), Array(6).fill(422), 'others are not refused with them')
})

t.test('the log has one spelling of each address, and no text that is not an address', async t => {
  const ipOf = async (forwarded: string) => {
    behind.logged.length = 0
    await behind.app.inject({ url: '/live', headers: { 'x-forwarded-for': forwarded } })
    const lines = behind.logged.map(line => JSON.parse(line) as { req?: { ip: string } })
    return lines.find(({ req }) => req)?.req?.ip
  }
  t.equal(await ipOf('203.0.113.10:50000'), '203.0.113.10')
  t.equal(await ipOf('::ffff:cb00:710a'), '203.0.113.10')
  t.equal(await ipOf('[2001:DB8::1]:443'), '2001:db8::1')
  t.equal(await ipOf('kim@larkfield.example'), '127.0.0.1')
  t.equal(await ipOf('198.51.100.1, <script>, 10.0.0.1'), '127.0.0.1')
  t.equal(await ipOf('10.0.0.1,'.repeat(1000)), '10.0.0.1', 'no chain of proxies is that long')
})

t.test('a client that disconnects before the answer causes no error', async t => {
  await behind.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = behind.app.server.address() as AddressInfo
  behind.logged.length = 0
  await new Promise<void>(resolve => {
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/sign-in', headers: form })
    request.on('error', () => {})
    request.on('close', resolve)
    request.end(encode({ email: 'gone@larkfield.example', password: 'wrong' }), () => request.destroy())
  })
  await behind.app.handlersDone()
  t.notMatch(behind.logged.join(''), /"level":50/)
})
