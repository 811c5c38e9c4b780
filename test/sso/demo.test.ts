/** `npm run demo:sso`, as a newcomer uses it. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')

async function freePort() {
  const server = net.createServer()
  await new Promise<void>(done => server.listen(0, done))
  const { port } = server.address() as AddressInfo
  await new Promise(done => server.close(done))
  return port
}

/** A browser's way: follows redirects, keeps cookies, and chooses a person on the provider's page. */
async function comeAs(baseUrl: string, account: string) {
  const jar = new Map<string, string>()
  let url = new URL('/sign-in/oidc', baseUrl)
  for (let step = 0; step < 12; step += 1) {
    const isChoice = url.pathname.startsWith('/interaction/')
    const cookie = [...jar].map(each => each.join('=')).join('; ')
    const asking = isChoice ? { method: 'POST', body: new URLSearchParams({ account }) } : {}
    const answer = await fetch(url, { ...asking, redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
    const location = answer.headers.get('location')
    if (!location) return { status: answer.status, body: await answer.text(), path: url.pathname }
    url = new URL(location, url)
  }
  throw new Error('redirected again and again')
}

t.test('it is set up, signs people in over its provider, and Ctrl-C ends all of it', async t => {
  const port = await freePort()
  const demo = spawn(process.execPath, ['scripts/demo-sso.ts'], {
    cwd: root,
    env: { ...process.env, PORT: String(port) }
  })
  t.teardown(() => demo.kill('SIGKILL'))
  let said = ''
  demo.stderr.on('data', chunk => (said += chunk))
  await new Promise<void>((done, fail) => {
    demo.stdout.on('data', chunk => {
      said += chunk
      if (said.includes('Ctrl-C')) done()
    })
    demo.once('exit', () => fail(new Error(said)))
  })
  const baseUrl = `http://localhost:${port}`
  t.match(said, `Open ${baseUrl}/sign-in`)
  t.match(await comeAs(baseUrl, 'ada'), { status: 200, path: '/', body: 'Dashboard' })
  t.match(await comeAs(baseUrl, 'ben'), { status: 200, path: '/me', body: 'Ben Birch' })
  t.match(await comeAs(baseUrl, 'dan'), { status: 403, body: 'You are not invited yet' })
  t.match(await comeAs(baseUrl, 'eve'), { status: 403, body: 'Your email address is not verified' })
  const [, folder = ''] = /the data is in (\S+)\. Ctrl/.exec(said) ?? []
  t.ok(fs.existsSync(folder))
  const exit = new Promise(done => demo.once('exit', done))
  demo.kill('SIGINT')
  t.equal(await exit, 0, said)
  t.notOk(fs.existsSync(folder))
  await t.rejects(fetch(`${baseUrl}/live`))
})
