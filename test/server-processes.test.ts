/** Several processes on one database, which the first three tests share, and stopping a busy one. */
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { goodPassword } from './support/app.ts'
import { cloneDatabase } from './support/database.ts'
import { linkOf, one, sql } from './support/people.ts'
import { startScripted } from './support/scripted-smtp.ts'
import {
  endServers,
  inviteOver,
  key,
  newFolder,
  outboxOf,
  removeFolder,
  type Server,
  setUpOver,
  startServer,
  until
} from './support/server.ts'
import { startMailServer } from './support/smtp-server.ts'

const clock = path.join(import.meta.dirname, 'support/shifted-clock.mjs')
const place = { database: await cloneDatabase(), data: newFolder() }
let web: Server
t.teardown(async () => {
  await endServers()
  await place.database.drop()
  removeFolder(place.data)
})

const start = (environment: Record<string, string> = {}, preload?: string) =>
  startServer({
    environment: { DATABASE_URL: place.database.url, SECRET_KEY: key, DATA_DIR: place.data, ...environment },
    ...(preload ? { preload } : {})
  })

async function started(...args: Parameters<typeof start>) {
  const server = await start(...args)
  await server.ready
  return server
}

t.test('ROLE=web serves and sends nothing; ROLE=worker sends and serves nothing', async t => {
  web = await started({ ROLE: 'web' })
  t.equal(web.stdout().length, 2)
  await setUpOver(web)
  const batch = await inviteOver(web, 'eve@larkfield.example')
  const stateOf = async () => (await one<{ state: string }>(place.database.db, sql`select state from deliveries`)).state
  t.match(await web.get(batch), { status: 200, text: /data-count="queued"/ })
  t.equal(await stateOf(), 'queued')

  const worker = await started({ ROLE: 'worker', PORT: new URL(web.baseUrl).port })
  t.equal(worker.stdout().length, 1)
  await until(() => outboxOf(place.data).length === 1)
  await until(async () => (await stateOf()) === 'sent')
  t.same(await worker.stop(), { code: 0, signal: null })

  await inviteOver(web, 'dan@larkfield.example')
  t.equal(outboxOf(place.data).length, 1)
})

t.test('R11: two workers on one database send each email once', async t => {
  const mail = await startMailServer({
    allowInsecureAuth: true,
    onAuth: ({ username }, _session, done) => done(null, { user: username })
  })
  t.teardown(mail.stop)
  const start = (name: string) =>
    started({
      ROLE: 'worker',
      SMTP_URL: `smtp://${name}:secret@127.0.0.1:${mail.settings.port}?connections=2`,
      MAIL_FROM: 'us@larkfield.example'
    })
  const workers = await Promise.all(['first', 'second'].map(start))
  const addresses = Array.from({ length: 100 }, (_, i) => `person${i}@larkfield.example`)
  const fives = Array.from({ length: 20 }, (_, i) => addresses.slice(i * 5, i * 5 + 5))
  for (const five of fives) await inviteOver(web, ...five)
  await until(async () => {
    const { open } = await one<{ open: number }>(
      place.database.db,
      sql`select count(*) filter (where state <> 'sent') as open from deliveries`
    )
    return open === 0
  })
  t.same(mail.mails.flatMap(({ to }) => to).sort(), [...addresses, 'dan@larkfield.example'].sort())
  t.same([...new Set(mail.mails.map(({ user }) => user))].sort(), ['first', 'second'], 'both had their share')
  for (const worker of workers) t.same(await worker.stop(), { code: 0, signal: null })
})

t.test('R12: with one process’s clock an hour off, only the database decides what has expired', async t => {
  const right = web
  const early = await started({ SHIFT_HOURS: '-1' }, clock)
  const late = await started({ SHIFT_HOURS: '1' }, clock)
  for (const server of [early, late]) server.cookie.value = right.cookie.value
  const minutesLeft = async (address: string) => {
    const { minutes } = await one<{ minutes: number }>(
      place.database.db,
      sql`select (extract(epoch from i.expires_at - now()) / 60)::float as minutes from invitations i
        join people p on p.invitation_id = i.id where p.address_key = ${address}`
    )
    return minutes
  }
  const days = 14 * 24 * 60
  for (const [server, name] of [
    [right, 'ben'],
    [early, 'cleo'],
    [late, 'fay']
  ] as const) {
    await inviteOver(server, `${name}@larkfield.example`)
    const minutes = await minutesLeft(`${name}@larkfield.example`)
    t.ok(minutes > days - 1 && minutes <= days, `${name}: ${minutes}`)
    t.equal((await server.get('/people')).status, 200, 'the session is good everywhere')
  }

  const { token, invitationId } = await linkOf(place.database.db, 'ben@larkfield.example')
  const expireIn = (minutes: number) =>
    place.database.db.execute(
      sql`update invitations set expires_at = now() + make_interval(mins => ${minutes}) where id = ${invitationId}`
    )
  const answers = () => Promise.all([right, early, late].map(async each => (await each.get(`/join/${token}`)).status))
  await expireIn(30)
  t.same(await answers(), [200, 200, 200])
  await expireIn(-30)
  t.same(await answers(), [410, 410, 410])
  const joining = { name: 'Ben', password: goodPassword }
  t.equal((await early.post(`/join/${token}`, joining)).status, 410)
  await expireIn(30)
  t.equal((await late.post(`/join/${token}`, joining)).status, 303)
  t.same(await web.stop(), { code: 0, signal: null })
})

t.test(
  'R14: none of 100 requests open at SIGTERM fails, and a hung form and mail server do not delay it for 30 s',
  async t => {
    const mail = await startScripted()
    t.teardown(mail.stop)
    const database = await cloneDatabase()
    t.teardown(async () => {
      await endServers()
      await database.drop()
    })
    const server = await started({
      DATABASE_URL: database.url,
      SMTP_URL: `smtp://127.0.0.1:${mail.settings.port}`,
      MAIL_FROM: 'us@larkfield.example'
    })
    await setUpOver(server)
    await inviteOver(server, 'rstall.eve@larkfield.example')
    await until(() => mail.commands.some(line => line.startsWith('RCPT')))
    const slow = await slowForm(server)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 })
    t.teardown(() => agent.destroy())
    const kept = visitUntilAskedToLeave(server, agent, 20)

    const urls = ['/', '/people', '/invite', '/me']
    const requests = Array.from({ length: 100 }, (_, i) => server.get(urls[i % urls.length]!))
    await Promise.race(requests)
    const began = performance.now()
    const exit = server.stop('SIGTERM')
    t.same(
      (await Promise.all(requests)).filter(({ status }) => status !== 200),
      []
    )
    t.same(await kept, [])
    t.same(await exit, { code: 0, signal: null })
    const seconds = (performance.now() - began) / 1000
    t.ok(seconds < 30, `${seconds.toFixed(1)} s`)
    slow.destroy()
  }
)

/** A form that is never completed. */
async function slowForm({ baseUrl, cookie }: Server) {
  const { host, port } = new URL(baseUrl)
  const socket = net.connect(Number(port), '127.0.0.1').on('error', () => {})
  const type = 'content-type: application/x-www-form-urlencoded\r\ncontent-length: 900'
  socket.write(
    `POST /invite HTTP/1.1\r\nhost: ${host}\r\norigin: ${baseUrl}\r\ncookie: ${cookie.value}\r\n${type}\r\n\r\nem`
  )
  await new Promise(resolve => socket.once('connect', resolve))
  return socket
}

/** Visitors that keep their connection and send requests until an answer closes it; returns the failures. */
async function visitUntilAskedToLeave(server: Server, agent: http.Agent, visitors: number) {
  const failed: unknown[] = []
  const visit = async () => {
    for (;;) {
      const answer = await server
        .get('/people', { agent })
        .catch(error => ({ status: error.code, headers: { connection: 'close' } }))
      if (answer.status !== 200) failed.push(answer.status)
      if (answer.headers.connection === 'close') return
    }
  }
  await Promise.all(Array.from({ length: visitors }, visit))
  return failed
}
