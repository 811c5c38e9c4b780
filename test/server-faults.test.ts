/** A running Rollcall while the services that it needs go down and come back. */
import t from 'tap'
import { startEmbedded } from '../src/db/embedded/start.ts'
import { restartUnderLoad } from './support/database-faults.ts'
import {
  endServers,
  freePort,
  inviteOver,
  key,
  newFolder,
  outboxOf,
  processesIn,
  removeFolder,
  type Server,
  setUpOver,
  startServer,
  until
} from './support/server.ts'

const folder = newFolder()
const data = newFolder()
let database = await startEmbedded(folder)
let server: Server
const isReady = async () => (await server.get('/ready')).status === 200
t.teardown(async () => {
  await endServers()
  await database.stop()
  removeFolder(folder)
  removeFolder(data)
})

t.before(async () => {
  server = await startServer({ environment: { DATABASE_URL: database.url, SECRET_KEY: key, DATA_DIR: data } })
  await server.ready
  await setUpOver(server)
})

t.test(
  'R17: while the database is down, it lives, is not ready and says so on every page; then it recovers',
  async t => {
    await database.stop()
    await until(async () => !(await isReady()))
    const ready = await server.get('/ready')
    t.equal(ready.status, 503)
    t.equal(ready.text, 'database: not answering\n')
    t.match(await server.get('/live'), { status: 200, text: 'ok' })
    for (const url of ['/', '/sign-in', '/people', '/invite']) {
      const page = await server.get(url)
      t.equal(page.status, 503, url)
      t.match(page.headers, { 'retry-after': /^\d+$/, 'content-type': /^text\/html/ })
      t.match(page.text, /The database is not answering/)
      t.notMatch(page.text, /ENOENT|postgres|sql|\.ts:/i)
    }
    t.equal((await server.post('/invite', { email: 'ben@larkfield.example' })).status, 503)
    t.equal((await server.get('/metrics')).status, 503)

    database = await startEmbedded(folder)
    const began = performance.now()
    await until(isReady)
    t.comment(`ready again ${Math.round(performance.now() - began)} ms after the database`)
    t.equal((await server.get('/')).status, 200, 'the session is still good')
    await inviteOver(server, 'ben@larkfield.example')
    await until(() => outboxOf(data).length === 1)
  }
)

t.test('R17: a hung database makes it unready within two seconds, and pages end', async t => {
  const stopped = processesIn(folder)
  for (const pid of stopped) process.kill(pid, 'SIGSTOP')
  const began = performance.now()
  const [ready, page] = await Promise.all([server.get('/ready'), server.get('/')]).finally(() => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT')
  })
  t.equal(ready.status, 503)
  t.equal(page.status, 503)
  t.comment(`answered after ${Math.round(performance.now() - began)} ms`)
  await until(isReady)
  t.equal((await server.get('/people')).status, 200)
})

t.test('R5: a restart of the database under load does not end it', async t => {
  const restart = async () => {
    await database.stop()
    database = await startEmbedded(folder)
  }
  await restartUnderLoad(t, { server, restart, rounds: 1 })
  await inviteOver(server, 'cleo@larkfield.example')
  await until(() => outboxOf(data).length === 2)
})

t.test(
  'R17: an unreachable mail server never makes it unready; waiting email is sent when the server is back',
  async t => {
    await server.stop()
    const port = await freePort()
    const environment = {
      ...{ DATABASE_URL: database.url, SECRET_KEY: key, DATA_DIR: data },
      ...{ SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Larkfield <people@larkfield.example>' }
    }
    const next = await startServer({ environment })
    await next.ready
    next.cookie.value = server.cookie.value
    const batch = await inviteOver(next, 'dan@larkfield.example')
    await until(async () => (await next.get(batch)).text.includes('ECONNREFUSED'))
    t.equal((await next.get('/ready')).status, 200)
    t.same(await next.stop(), { code: 0, signal: null })
  }
)
