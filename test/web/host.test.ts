import fs from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import t from 'tap'
import { baseUrl, encode, startApp } from '../support/app.ts'
import { linkOf } from '../support/people.ts'

const { app, db, browser, dataDir, work, close } = await startApp()
t.teardown(close)
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as AddressInfo
const ben = await browser('ben')

/** Sends a request unchanged, even one that no library would send. */
async function send(line: string, headers: string[], body = ''): Promise<{ status: number; text: string }> {
  const socket = net.connect(port, '127.0.0.1')
  const head = [line, ...headers, `Content-Length: ${body.length}`, 'Connection: close', '', ''].join('\r\n')
  socket.write(head + body)
  let text = ''
  for await (const chunk of socket) text += chunk
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text }
}

const own = 'Host: localhost:3000'
/** Twelve ways to name another host beside the right one. */
const forged: string[][] = [
  ['X-Forwarded-Host: evil.example'],
  ['X-Forwarded-Proto: https'],
  ['X-Forwarded-Port: 666'],
  ['X-Forwarded-Prefix: /evil'],
  ['X-Forwarded-Server: evil.example'],
  ['Forwarded: host=evil.example;proto=https'],
  ['X-Original-URL: http://evil.example/'],
  ['X-Rewrite-URL: http://evil.example/'],
  ['X-Host: evil.example'],
  ['X-Original-Host: evil.example'],
  ['X-HTTP-Host-Override: evil.example'],
  ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https', 'X-Forwarded-For: 6.6.6.6', 'Via: evil.example']
]

t.test('S8: links in emails start with BASE_URL, whatever headers say', async t => {
  const folder = path.join(dataDir, 'outbox')
  for (const [index, headers] of forged.entries()) {
    const email = `forged${index}@larkfield.example`
    const form = ['Content-Type: application/x-www-form-urlencoded', `Origin: ${baseUrl}`, `Cookie: ${ben.cookie}`]
    const { status } = await send('POST /invite HTTP/1.1', [own, ...form, ...headers], encode({ email }))
    t.equal(status, 303, headers.join())
  }
  await work()
  const mails = fs.readdirSync(folder)
  t.equal(mails.length, forged.length)
  for (const name of mails) {
    const mail = fs.readFileSync(path.join(folder, name), 'utf8')
    const links = mail.replaceAll('=\r\n', '').match(/https?:\/\/[^\s"<>]+/g) ?? []
    t.ok(links.length >= 3)
    for (const link of links) t.match(link, /^http:\/\/localhost:3000\/|^http:\/\/www\.w3\.org\//)
    t.notMatch(mail, /evil|:666/)
  }
})

t.test('S8: pages link only to their own paths', async t => {
  const { token } = await linkOf(db, 'forged0@larkfield.example')
  for (const headers of forged)
    for (const url of ['/sign-in', `/join/${token}`, '/nowhere', '/people']) {
      const { text } = await send(`GET ${url} HTTP/1.1`, [own, ...headers])
      t.notMatch(text, /evil|:666/, `${url} ${headers[0]}`)
    }
})

t.test('S8: any other host is told only the address of Rollcall', async t => {
  const foreign: [string, string[]][] = [
    ['GET /sign-in HTTP/1.1', ['Host: evil.example']],
    ['GET /sign-in HTTP/1.1', ['Host: evil.example', own]],
    ['GET /sign-in HTTP/1.1', ['Host: localhost']],
    ['GET /sign-in HTTP/1.1', ['Host: localhost:3001']],
    ['GET /sign-in HTTP/1.1', ['Host: 127.0.0.1:3000']],
    ['GET /sign-in HTTP/1.1', ['Host: localhost:3000.evil.example']],
    ['GET /sign-in HTTP/1.1', ['Host: localhost:3000@evil.example']],
    ['GET /sign-in HTTP/1.1', ['Host: evil.example', 'X-Forwarded-Host: localhost:3000']],
    ['GET http://evil.example/sign-in HTTP/1.1', [own]],
    ['GET https://localhost:3000/sign-in HTTP/1.1', [own]],
    ['GET http://localhost:3000@evil.example/sign-in HTTP/1.1', [own]],
    ['GET /nowhere HTTP/1.1', ['Host: evil.example']],
    ['GET /assets/none.css HTTP/1.1', ['Host: evil.example']],
    ['POST /sign-in HTTP/1.1', ['Host: evil.example', 'Origin: http://evil.example']]
  ]
  for (const [line, headers] of foreign) {
    const { status, text } = await send(line, headers)
    t.equal(status, 421, `${line} ${headers}`)
    t.match(text, `href="${baseUrl}/"`)
    t.notMatch(text, /evil/)
  }
  t.equal((await send('GET /sign-in HTTP/1.1', [])).status, 400, 'HTTP asks for a host')
  t.equal((await send(`GET ${baseUrl}/sign-in HTTP/1.1`, [own])).status, 200, 'a whole address of our own')
})

t.test('the three operator pages answer under any host', async t => {
  for (const url of ['/live', '/ready', '/metrics'])
    t.equal((await send(`GET ${url} HTTP/1.1`, ['Host: 10.0.0.7:3000'])).status, 200, url)
})
