import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { startApp } from '../support/app.ts'
import { batchOf } from '../support/batches.ts'
import { multipart } from '../support/multipart.ts'
import { openRequest } from '../support/uploads.ts'

// each wait here takes ten seconds, so all run at the same time
t.jobs = 10

const { app, db, browser, close } = await startApp()
t.teardown(close)
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as AddressInfo
const ben = await browser('ben')
const list = multipart({ action: 'check' }, { name: 'slow.txt', content: 'kim@larkfield.example\n'.repeat(30_000) })
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const uploadHeaders = { 'content-type': list.type, 'content-length': list.body.length }

/** Sends a byte at a time until the connection closes; resolves then. */
async function drip(request: ReturnType<typeof openRequest>) {
  let isOver = false
  const end = () => {
    isOver = true
  }
  request.answer.then(end, end)
  while (!isOver) {
    await request.write('x')
    await pause(200)
  }
}

t.test(
  'S27: a form that is not complete within ten seconds ends with 408, on every route and for everyone',
  async t => {
    const requests = ['/invite', '/sign-in', '/no/such/page'].map(path => {
      const cookie: Record<string, string> = path === '/invite' ? { cookie: ben.cookie! } : {}
      return openRequest(port, path, { ...form, ...cookie, 'content-length': 5000 })
    })
    const dripping = requests.map(drip)
    const answers = await Promise.allSettled(requests.map(({ answer }) => answer))
    for (const answer of answers) {
      t.match(answer, { value: { status: 408, body: /did not arrive within 10 seconds/ } })
    }
    await Promise.all(dripping)
  }
)

t.test('S27: a connection whose request was refused before its body arrived is closed', async t => {
  const refused = async (path: string, headers: Record<string, string | number>) => {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const lines = Object.entries({ host: 'localhost:3000', origin: 'http://localhost:3000', ...headers })
    socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    const [chunk] = await once(socket, 'data')
    t.match(String(chunk), /^HTTP\/1.1 401 /)
    socket.resume().on('error', () => {})
    const timer = setInterval(() => socket.write('x'), 200)
    await once(socket, 'close')
    clearInterval(timer)
  }
  await Promise.all([refused('/bulk', uploadHeaders), refused('/invite', { ...form, 'content-length': 5000 })])
})

t.test('S27: headers that do not end are cut', async t => {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nhost: localhost:3000\r\n')
  const timer = setInterval(() => socket.write('x: y\r\n'), 500)
  let text = ''
  socket.on('data', chunk => (text += chunk)).on('error', () => {})
  await once(socket, 'close')
  clearInterval(timer)
  t.match(text, /^HTTP\/1.1 408 /)
})

t.test('S30: a steady upload of 50 kB/s is not cut, and others are answered meanwhile', async t => {
  const request = openRequest(port, '/bulk', { ...uploadHeaders, cookie: ben.cookie! })
  for (let at = 0; at < list.body.length; at += 5_000) {
    await request.write(list.body.subarray(at, at + 5_000))
    await pause(100)
    if (at % 100_000 === 0) t.equal((await ben.get('/bulk')).statusCode, 200)
  }
  request.end()
  const answer = await request.answer
  t.equal(answer.status, 303)
  const id = Number(answer.headers.location!.split('/').at(-1))
  t.match(await batchOf(db, id), { state: 'checking', lines: 30_000 })
})
