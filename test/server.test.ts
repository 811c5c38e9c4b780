import fs from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { reasonOf } from '../src/db/faults.ts'
import { cloneDatabase } from './support/database.ts'
import { prepare } from './support/other-database.ts'
import {
  endServers,
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

// one data folder through its whole life
const folder = newFolder()
const environment = { DATA_DIR: folder }
const inFolder = () => startServer({ environment })
const postmaster = () => Number(fs.readFileSync(path.join(folder, 'pg18/postmaster.pid'), 'utf8').split('\n')[0])
const isClean = (t: Test) => {
  t.same(processesIn(folder), [], 'no process is left')
  t.notOk(fs.existsSync(path.join(folder, 'rollcall.pid')), 'the folder is free')
}
t.teardown(async () => {
  await endServers()
  removeFolder(folder)
})

const readyLine = ({ baseUrl }: Server) => `Rollcall is ready at ${baseUrl}`
const tokenOf = (server: Server) => {
  const [, token] =
    /^Set it up once at http:\/\/localhost:\d+\/setup\?token=([\w-]{43})$/.exec(server.stdout()[1]!) ?? []
  return token
}

let first: Server
t.test('the first start prints its address and the setup link, and logs JSON on stderr', async t => {
  first = await inFolder()
  await first.ready
  await until(() => first.stdout().length === 2)
  t.equal(first.stdout()[0], readyLine(first))
  t.ok(tokenOf(first))
  for (const line of first.stderr()) t.ok(JSON.parse(line), line)
  t.equal((await first.get('/live')).text, 'ok')
  t.equal((await first.get('/ready')).status, 200)
})

t.test('a second process on the same data folder exits with 1 and says why', async t => {
  const second = await inFolder()
  t.same(await second.exit, { code: 1, signal: null })
  t.same(second.stdout(), [])
  t.match(second.stderr(), [/^DATA_DIR: another Rollcall \(process \d+\) is using /])
  t.equal(second.stderr().length, 1)
  t.equal((await first.get('/ready')).status, 200, 'the first process keeps working')
})

let winner: Server
t.test('of two processes that start after kill -9, one takes over the folder and the running database', async t => {
  const pid = postmaster()
  t.match(await first.stop('SIGKILL'), { signal: 'SIGKILL' })
  const both = [await inFolder(), await inFolder()]
  const ends = await Promise.all(
    both.map(each => Promise.race([each.ready.then(() => 'ready'), each.exit.then(({ code }) => code)]).catch(() => 1))
  )
  t.same(ends.sort(), [1, 'ready'])
  winner = both.find(each => each.stdout().length > 0)!
  t.equal(postmaster(), pid)
  await until(() => winner.stdout().length === 2)
  t.not(tokenOf(winner), tokenOf(first), 'it has a new setup link')
  t.equal((await winner.get(`/setup?token=${tokenOf(first)}`)).status, 403)
  await setUpOver(winner)
  await inviteOver(winner, 'eve@larkfield.example')
  await until(() => outboxOf(folder).length === 1)
})

t.test('it restarts its database server after that was killed', async t => {
  const before = postmaster()
  process.kill(before, 'SIGKILL')
  await until(async () => (await winner.get('/ready')).status === 503)
  await until(async () => (await winner.get('/ready')).status === 200)
  t.not(postmaster(), before)
  t.equal((await winner.get('/people')).status, 200, 'sessions last')
  t.same(await winner.stop('SIGTERM'), { code: 0, signal: null })
  isClean(t)
})

t.test('after setup it prints one line, and Ctrl-C leaves no process behind', async t => {
  const server = await startServer({ environment, withNpm: true })
  await server.ready
  process.kill(-server.pid, 'SIGINT') // as a terminal does: to npm, its shell and us
  await server.exit
  t.same(
    server.stdout().filter(line => !line.startsWith('>')),
    [readyLine(server)]
  )
  isClean(t)
})

t.test('Ctrl-C during startup leaves no process behind', async t => {
  const server = await inFolder()
  await until(() => fs.existsSync(path.join(folder, 'pg18/postmaster.pid')))
  t.same(await server.stop('SIGINT'), { code: 0, signal: null })
  t.same(server.stdout(), [])
  isClean(t)
})

t.test('it reports every problem of the configuration at once, on stderr, and exits with 1', async t => {
  const server = await startServer({
    environment: {
      PORT: 'http',
      BASE_URL: 'x',
      DATABASE_URL: 'postgres://localhost/x',
      SMTP_URL: 'smtp://mail.example',
      LDAP_BASE_DN: 'larkfield',
      LDAP_PEOPLE_FILTER: '(uid=*',
      LDAP_GROUP_FILTER: '(cn=*)',
      ROLE: 'boss'
    }
  })
  t.same(await server.exit, { code: 1, signal: null })
  t.same(server.stdout(), [])
  t.same(
    server.stderr().map(line => line.split(': ')[0]),
    ['PORT', 'BASE_URL', 'SECRET_KEY', 'MAIL_FROM', 'LDAP_BASE_DN', 'LDAP_PEOPLE_FILTER', 'ROLE']
  )
})

t.test('an impossible data folder is named', async t => {
  const taken = newFolder()
  fs.writeFileSync(path.join(taken, 'file'), '')
  const server = await startServer({ environment: { DATA_DIR: path.join(taken, 'file') } })
  t.equal((await server.exit).code, 1)
  t.match(server.stderr(), [/^DATA_DIR: .*\/file cannot be used as a folder \(EEXIST\)$/])
  removeFolder(taken)
})

t.test('an unusable database is named, without the statement that failed', async t => {
  const url = new URL(process.env.TEST_DATABASE_URL!)
  url.pathname = '/nowhere'
  const server = await startServer({ environment: { DATABASE_URL: url.href, SECRET_KEY: key } })
  t.equal((await server.exit).code, 1)
  t.match(server.stderr(), [/^DATABASE_URL: database "nowhere" does not exist/])
  t.equal(server.stderr().length, 1)
  const unreachable = await prepare('postgres://127.0.0.1:1/x').catch(error => error)
  t.match(reasonOf(unreachable), /ECONNREFUSED/)
})

t.test('with DATABASE_URL, which can come from a file like every setting, it starts no database server', async t => {
  const { url, drop } = await cloneDatabase()
  t.teardown(drop)
  const data = newFolder()
  const files = { DATABASE_URL_FILE: `${data}/url`, SECRET_KEY_FILE: `${data}/key` }
  fs.writeFileSync(files.DATABASE_URL_FILE, `${url}\n`)
  fs.writeFileSync(files.SECRET_KEY_FILE, `${key}\n`)
  const server = await startServer({ environment: { ...files, DATA_DIR: data } })
  await server.ready
  t.same(fs.readdirSync(data).sort(), ['key', 'url'])
  t.same(processesIn(data), [])

  const port = new URL(server.baseUrl).port
  const other = await startServer({ environment: { ...files, DATA_DIR: data, PORT: port } })
  t.equal((await other.exit).code, 1)
  t.match(other.stderr(), [/^PORT: cannot listen on 127.0.0.1:\d+ \(EADDRINUSE\)/])
  t.same(await server.stop('SIGTERM'), { code: 0, signal: null })
  removeFolder(data)
})
