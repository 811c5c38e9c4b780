/** No spelling, name, redirect or answer leads Rollcall's requests inside (S12): a canary counts connections. */
import type dns from 'node:dns'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import t from 'tap'
import { outboundFetch } from '../../src/outbound/fetch.ts'
import { isPrivate } from '../../src/outbound/private-address.ts'

let connections = 0
/** Listens wherever this machine can be reached. */
async function canary(host: string): Promise<number> {
  const server = net.createServer(socket => {
    connections += 1
    socket.destroy()
  })
  await new Promise<void>(done => server.listen(0, host, done))
  t.teardown(() => void server.close())
  return (server.address() as AddressInfo).port
}
const port = await canary('::')

type Resolve = typeof dns.lookup
const resolving = (...answers: (string | string[])[]): Resolve => {
  const left = [...answers]
  const resolve = (_name: string, _options: unknown, done: (error: null, found: unknown[]) => void) => {
    const found = [left.length > 1 ? left.shift() : left[0]].flat()
    done(
      null,
      found.map(address => ({ address, family: net.isIP(String(address)) }))
    )
  }
  return resolve as unknown as Resolve
}

const literals = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '127.255.255.254',
    '127.0.0.1.',
    '0',
    '0.0.0.0',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1'
  ],
  ...[
    '2130706433',
    '017700000001',
    '0x7f.0x0.0x0.0x1',
    '127.0x1',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '127%2E0%2E0%2E1',
    '%31%32%37.0.0.1'
  ],
  ...[
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:7f00:0001]',
    '[::127.0.0.1]'
  ],
  ...[
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[2001::7f00:1]',
    '[fe80::1]',
    '[fec0::1]'
  ],
  ...[
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
    '[100::1]',
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '10.0.0.1',
    '10.255.255.255'
  ],
  ...[
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.192',
    '100.64.0.1',
    '100.100.100.200',
    '198.18.0.1',
    '224.0.0.1'
  ],
  ...['240.0.0.1', '255.255.255.255', '192.0.2.1', '[2001:db8::1]', '[3fff::1]', '[5f00::1]']
]

const refusal = { code: 'ADDRESS' }
const codeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'answered',
    (error: { code?: string }) => error.code ?? String(error)
  )

t.test('S12: no spelling of a private address is reached', async t => {
  t.ok(literals.length >= 50, `${literals.length} spellings`)
  for (const host of literals)
    for (const scheme of ['http', 'https'])
      t.equal(await codeOf(outboundFetch()(`${scheme}://${host}:${port}/`)), 'ADDRESS', `${scheme}://${host}`)
  t.equal(connections, 0)
})

t.test('S12: nothing but web addresses, and none with a name or password', async t => {
  const host = `127.0.0.1:${port}`
  for (const scheme of ['gopher', 'ftp', 'ws', 'ldap', 'dict', 'data', 'javascript', 'blob'])
    await t.rejects(outboundFetch({ allow: [host] })(`${scheme}://${host}/_%0d%0aSET`), refusal, scheme)
  await t.rejects(outboundFetch()('file:///etc/passwd'), refusal)
  for (const user of ['user@', 'user:secret@', ':secret@', 'example.org:443@'])
    await t.rejects(outboundFetch({ allow: [host] })(`http://${user}${host}/`), refusal, user)
  t.equal(connections, 0)
})

t.test('S12: no name leads to a private address, not even as the second of several', async t => {
  const inside = [
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '169.254.169.254',
    '::ffff:127.0.0.1',
    'fe80::1%lo',
    'fd00::1',
    '64:ff9b::7f00:1',
    '0.0.0.0'
  ]
  for (const address of inside)
    for (const found of [[address], ['93.184.216.34', address], [address, '93.184.216.34']]) {
      const fetch = outboundFetch({ resolve: resolving(found) })
      t.equal(await codeOf(fetch(`http://provider.example:${port}/`)), 'ADDRESS', found.join())
    }
  t.equal(await codeOf(outboundFetch({ resolve: resolving([]) })('http://none.example/')), 'ADDRESS', 'no address')
  for (const name of ['localhost', 'LOCALHOST', 'localhost.', 'ip6-localhost'])
    t.not(await codeOf(outboundFetch()(`http://${name}:${port}/`)), 'answered', name)
  t.equal(connections, 0)
})

t.test('S12: a name that changes its address is looked up once a connection, and checked there', async t => {
  // both answers are private, and the check and the connection use the same answer
  const asked: string[] = []
  const rebinding: Resolve = ((name: string, _: unknown, done: (error: null, found: unknown[]) => void) => {
    asked.push(name)
    done(null, [{ address: asked.length % 2 === 1 ? '10.0.0.1' : '127.0.0.1', family: 4 }])
  }) as unknown as Resolve
  const fetch = outboundFetch({ resolve: rebinding })
  for (let time = 1; time <= 4; time += 1) {
    t.equal(await codeOf(fetch(`http://rebind.example:${port}/`)), 'ADDRESS')
    t.equal(asked.length, time, 'one look-up for one connection')
  }
  t.equal(connections, 0)
})

t.test('S12: an allowed host and port opens no other', async t => {
  const allow = [`127.0.0.1:${port + 1}`, `localhost:${port + 1}`, `inside.example:${port}`]
  for (const host of ['127.0.0.1', '[::1]', 'localhost', 'other.example', 'inside.example.'])
    await t.rejects(outboundFetch({ allow, resolve: resolving('127.0.0.1') })(`http://${host}:${port}/`), refusal, host)
  t.equal(connections, 0)
})

/** A server on an allowed address, for what an answer can do. */
async function serve(answer: http.RequestListener) {
  const server = http.createServer(answer)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${host}/`, fetch: outboundFetch({ allow: [host], maxBytes: 10_000, timeoutMs: 500 }) }
}

t.test('S12: no redirect is followed', async t => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { url, fetch } = await serve((_, answer) =>
      answer.writeHead(status, { location: `http://127.0.0.1:${port}/` }).end()
    )
    t.equal((await fetch(url, { method: 'POST', body: 'x' })).status, status)
  }
  t.equal(connections, 0)
})

t.test('endless, oversized and silent answers end at the limit', async t => {
  const long = 'x'.repeat(8000)
  const endless = await serve((_, answer) => {
    const more = setInterval(() => answer.write(long), 1)
    answer.on('close', () => clearInterval(more))
  })
  t.equal(await codeOf(endless.fetch(endless.url)), 'TOO_LONG')
  const drip = await serve((_, answer) => {
    const more = setInterval(() => answer.write('x'), 50)
    answer.on('close', () => clearInterval(more))
  })
  const silent = await serve(() => {})
  const headers = await serve((_, answer) => answer.writeHead(200).flushHeaders())
  for (const { url, fetch } of [drip, silent, headers]) {
    const began = Date.now()
    await t.rejects(fetch(url), { name: 'TimeoutError' })
    t.ok(Date.now() - began < 3000)
  }
  const cut = await serve((request, answer) => {
    answer.writeHead(200, { 'content-length': '100' }).write('x')
    setTimeout(() => request.socket.destroy(), 20)
  })
  await t.rejects(cut.fetch(cut.url), 'a cut answer is none')
  const heavy = await serve((_, answer) => answer.writeHead(200, { 'x-heavy': 'x'.repeat(100_000) }).end())
  await t.rejects(heavy.fetch(heavy.url), 'endless headers')
})

t.test('the caller’s own abort counts, and its reason comes back', async t => {
  const { url, fetch } = await serve(() => {})
  await t.rejects(fetch(url, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' })
  await t.rejects(fetch(url, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
})

t.test('a right request arrives whole, and its answer too', async t => {
  const { url, fetch } = await serve(async (request, answer) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    answer.setHeader('set-cookie', ['a=1', 'b=2'])
    answer.end(
      JSON.stringify({ method: request.method, key: request.headers['x-key'], body: Buffer.concat(chunks).toString() })
    )
  })
  const answer = await fetch(url, { method: 'POST', headers: { 'x-key': 'ü'.normalize() && 'k' }, body: 'grüße' })
  t.same(answer.headers.getSetCookie(), ['a=1', 'b=2'])
  t.same(await answer.json(), { method: 'POST', key: 'k', body: 'grüße' })
})

t.test('public addresses are public, and no text is', async t => {
  for (const each of [
    '93.184.216.34',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::1'
  ])
    t.notOk(isPrivate(each), each)
  for (const each of ['', 'localhost', '1.1.1', '127.0.0.1%eth0', '::1%1', 'x'.repeat(1000)])
    t.ok(isPrivate(each), each.slice(0, 20))
})
