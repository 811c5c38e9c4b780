/** What a visitor can cost Rollcall before it knows who asks: at most 50 ms of its one thread, with any input. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startApp } from '../support/app.ts'

const { app, close } = await startApp({ environment: { TRUST_PROXY: 'loopback, 10.0.0.0/8, fd00::/8' } })
const agent = new http.Agent({ keepAlive: true })
t.teardown(async () => {
  agent.destroy()
  await close()
})
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as AddressInfo

/** Twice the goal: a defect here costs several times as much, and a busy machine is slow. */
const most = 100_000
/** Node accepts 16 kB of request line and headers, Rollcall 64 kB of a form. */
const [headBytes, formBytes] = [15_000, 64_000]
const own = { host: 'localhost:3000', origin: 'http://localhost:3000' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

interface Sent {
  method?: string
  path: string
  headers?: Record<string, string | string[]>
  body?: string
}

function ask({ method = 'GET', path, headers = {}, body }: Sent): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { agent, port, host: '127.0.0.1', method, path, headers: { ...own, ...headers } }
    const request = http.request(options, answer => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode!))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** The minimum of three, so that only the cost of the input counts, in microseconds of this thread. */
async function costOf(sent: Sent): Promise<{ status: number; cost: number }> {
  const tries: { status: number; cost: number }[] = []
  for (let n = 0; n < 3; n += 1) {
    const before = process.threadCpuUsage()
    const status = await ask(sent)
    const { user, system } = process.threadCpuUsage(before)
    tries.push({ status, cost: user + system })
  }
  return tries.reduce((least, each) => (each.cost < least.cost ? each : least))
}

const full = (piece: string, bytes = headBytes) => piece.repeat(Math.floor(bytes / piece.length))

function testCosts(name: string, inputs: Record<string, Sent>) {
  t.test(`S28: ${name}`, async t => {
    await ask({ path: '/sign-in' })
    for (const [input, sent] of Object.entries(inputs)) {
      const { status, cost } = await costOf(sent)
      t.ok(status !== 431 && status !== 500, `${input} gets through: ${status}`)
      t.ok(cost < most, `${input}: ${Math.round(cost / 1000)} ms`)
    }
  })
}

/** An input made of each of these pieces. */
function each(pieces: string[], make: (piece: string) => Sent): Record<string, Sent> {
  const { path, body = '' } = make('…')
  const name = `${path} ${body}`.replace(/(…)…+/, '$1')
  return Object.fromEntries(pieces.map(piece => [`${name} ${JSON.stringify(piece)}`, make(piece)]))
}

const pathPieces = ['x', '/', '/a@', '%41', '%2f', './', '-', `${'A'.repeat(42)}.`, ':', ';', '%40', 'join/']
testCosts('a path of any kind', {
  ...each(pathPieces, piece => ({ path: `/${full(piece)}` })),
  ...each(pathPieces, piece => ({ path: `/join/${full(piece)}` })),
  ...each(pathPieces, piece => ({ path: `/unsubscribe/1.${full(piece)}` })),
  ...each(pathPieces, piece => ({ path: `/assets/${full(piece)}` })),
  ...each(pathPieces, piece => ({ path: `/people/${full(piece, 4000)}` })),
  ...each(['x', '/', '%41', '.', '-'], piece => ({ path: `http://localhost:3000/${full(piece)}` })),
  ...each(['x', '.', '-', '%41'], piece => ({ path: `http://${full(piece)}/` }))
})

const queryPieces = ['a&', '&', 'a=1&b=2&', '%41=', '+', '=', '__proto__&', 'next=/&', '%e2%80%8b', '?']
testCosts('a query of any kind', {
  ...each(queryPieces, piece => ({ path: `/sign-in?${full(piece)}` })),
  ...each(queryPieces, piece => ({ path: `/nowhere?${full(piece)}` })),
  ...each(['/', '/@', '%5c', '%0a', '//', '..%2f'], piece => ({ path: `/sign-in?next=/${full(piece)}` })),
  ...each(['x', '.'], piece => ({ path: `/setup?token=${full(piece)}` }))
})

const bodyPieces = ['a&', '&', 'a=1&b=2&', '%41', '+', '=', '%e2%80%8b=&', 'email=a&']
testCosts('a form of any kind', {
  ...each(bodyPieces, piece => ({ method: 'POST', path: '/sign-in', headers: form, body: full(piece, formBytes) })),
  ...each(bodyPieces, piece => ({ method: 'POST', path: '/nowhere', headers: form, body: full(piece, formBytes) })),
  ...each(bodyPieces, piece => ({
    method: 'POST',
    path: `/unsubscribe/1.${'A'.repeat(43)}`,
    headers: form,
    body: full(piece, formBytes)
  }))
})

const addressPieces = ['@', 'a@', 'a.', '%22', '(', '%3C', '+', '%c2%a0', ',', '%f0%9f%98%80', 'e%cc%81']
testCosts('an address or a path to go on to, of any kind', {
  ...each(addressPieces, piece => ({
    method: 'POST',
    path: '/sign-in',
    headers: form,
    body: `password=x&email=${full(piece, formBytes - 100)}`
  })),
  ...each(['/', '@', '%5c', '.'], piece => ({
    method: 'POST',
    path: '/sign-in',
    headers: form,
    body: `email=a&password=x&next=/${full(piece, formBytes - 100)}`
  }))
})

const headers: Record<string, string[]> = {
  cookie: ['a;', 'a=b;', ' ;', '=', '"', '__Host-rollcall=x;', 'a=%41%;', 'x'],
  'x-forwarded-for': ['127.0.0.1,', '::1,', 'fd00::1%eth0,', '::ffff:127.0.0.1,', ',', '1.', '1:', 'x', '[::1]:1,'],
  host: ['a', 'a.', ':', '@', '[', '1:', '.'],
  origin: ['a', 'http://', '/', '@', 'null,'],
  'content-type': ['a', 'a/b;', ';a=b', ';a="', '"', ' ;', '\t;', ';a="\\'],
  'accept-encoding': ['a,', 'br;q=0,', ';', ','],
  'accept-language': ['en;q=0.1,', ',', 'a-'],
  'user-agent': ['Version/', 'Mozilla/5.0 (', '(', ' '],
  'hx-current-url': ['/a@', 'http://'],
  referer: ['/a@', 'http://']
}
for (const [name, pieces] of Object.entries(headers))
  testCosts(`a header ${name} of any kind`, {
    ...each(pieces, piece => ({ path: '/sign-in', headers: { [name]: full(piece) } })),
    ...each(pieces, piece => ({ path: '/nowhere', headers: { [name]: full(piece) } })),
    ...each(pieces, piece => ({
      method: 'POST',
      path: '/nowhere',
      headers: { ...form, [name]: full(piece) },
      body: 'a=b'
    }))
  })

const many = Array.from({ length: 900 }, (_, index) => [`x${index}`, ''] as const)
testCosts('as many headers as Node takes', {
  'of many names': { path: '/sign-in', headers: Object.fromEntries(many) },
  'of one name': { path: '/sign-in', headers: { cookie: Array<string>(900).fill('a=b') } },
  'of proxies': { path: '/sign-in', headers: { 'x-forwarded-for': Array<string>(500).fill('10.0.0.1') } }
})
