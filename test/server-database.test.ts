/** The real process on a database whose administrator grants less than it requests. */
import t from 'tap'
import { otherDatabase } from './support/other-database.ts'
import {
  endServers,
  inviteOver,
  key,
  newFolder,
  outboxOf,
  removeFolder,
  setUpOver,
  startServer,
  until
} from './support/server.ts'

const data = newFolder()
t.teardown(async () => {
  await endServers()
  removeFolder(data)
})

t.test('E25: with 8 connections pages open and email is sent; with 3 Rollcall does not start and says why', async t => {
  const other = await otherDatabase(t)
  await other.runOutside('alter role u connection limit 8')
  const environment = { DATABASE_URL: other.url, SECRET_KEY: key, DATA_DIR: data }
  const server = await startServer({ environment })
  await server.ready
  await setUpOver(server)
  const urls = ['/', '/people', '/activity', '/teams']
  const pages = await Promise.all(Array.from({ length: 60 }, (_, index) => server.get(urls[index % 4]!)))
  t.same([...new Set(pages.map(({ status }) => status))], [200])
  await inviteOver(server, 'ben@larkfield.example')
  await until(() => outboxOf(data).length === 1)
  t.equal((await server.get('/ready')).text, 'ok')
  t.match((await server.get('/metrics')).text, /^rollcall_database_connections_max 4$/m)
  const said = server.stderr().filter(line => line.includes('fewer connections'))
  t.match(said, [/the role u_\w+ has 8 connections left of 21.*set DATABASE_POOL=8/])
  t.equal(said.length, 1)
  t.same(await server.stop(), { code: 0, signal: null })

  await other.runOutside('alter role u connection limit 3')
  const refused = await startServer({ environment })
  t.equal((await refused.exit).code, 1)
  t.match(refused.stderr(), [
    /^DATABASE_URL: the role u_\w+ has 3 connections left, Rollcall needs at least 5; run: alter role u_\w+ connection limit 21$/
  ])
})

t.test('each thing that a database lacks is reported on its own line', async t => {
  const other = await otherDatabase(t, { owner: false })
  await other.run('revoke create on schema public from public')
  const server = await startServer({ environment: { DATABASE_URL: other.url, SECRET_KEY: key } })
  t.equal((await server.exit).code, 1)
  t.equal(server.stderr().length, 3)
  for (const line of server.stderr()) t.match(line, /^DATABASE_URL: the role .*; run as an administrator: /)
})
