/** A database server that is killed under load, and what must survive. */
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { connect } from '../../src/db/client.ts'
import { type EmbeddedServer, startEmbedded } from '../../src/db/embedded/start.ts'
import { mailTo, numbered, stage, startSink, uploadOver, wake } from './faults.ts'
import { randomFrom } from './lists.ts'
import { newFolder, removeFolder, type Server, setUpOver, until } from './server.ts'

/** R5: the database server is killed, as a whole or one of its helpers in turn, and started again. */
export async function killDatabase(t: Test, { rounds }: { rounds: number }): Promise<void> {
  const folder = newFolder()
  let database = await startEmbedded(folder)
  t.teardown(async () => {
    await database.stop()
    removeFolder(folder)
  })
  const { start } = await stage(t, { url: database.url })
  const sink = await startSink(t)
  const server = await start(mailTo(sink.settings.port))
  await setUpOver(server)
  const load = workHard(server)
  const random = randomFrom(rounds)
  const isReady = async () => (await server.get('/ready')).status === 200
  for (let round = 0; round < rounds; round += 1) {
    const before = load.acknowledged.size
    await until(() => load.acknowledged.size > before + random() * 10)
    const [main, ...helpers] = serverProcesses(database)
    const isWhole = round % 2 === 0
    process.kill(isWhole ? main! : helpers[Math.floor(random() * helpers.length)]!, 'SIGKILL')
    if (!isWhole) {
      // the server ends all the others too, and recovers
      await until(() => !serverProcesses(database).some(pid => helpers.includes(pid)), 5_000)
    } else {
      await until(async () => !(await isReady()), 2_000)
      t.match(await server.get('/live'), { status: 200, text: 'ok' })
      await database.stop()
      database = await startEmbedded(folder)
    }
    await until(isReady, 5_000)
  }
  load.stop()
  await load.done
  t.same([...load.statuses].filter(status => ![200, 303, 503].includes(status)).sort(), [])
  t.same(
    server.stderr().filter(line => line.includes('"request failed"')),
    []
  )
  t.ok(load.acknowledged.size > rounds * 2)

  const db = connect(database.url, { connections: 2 })
  t.teardown(() => db.$client.end({ timeout: 1 }))
  await until(async () => {
    // a lost answer leaves leases that no process knows of: as if they had expired
    await db.$client`update batches set lease_until = null
      where state = 'checking' and lease_until < now() + interval '18 seconds'`
    await db.$client`update deliveries set lease_until = now()
      where state = 'sending' and lease_until between now() and now() + interval '55 seconds'`
    await wake(db)
    const [open] = await db.$client`
      select (select count(*) from deliveries where state <> 'sent') as mails,
        (select count(*) from batches where state = 'checking') as batches`
    return open!.mails + open!.batches === 0
  }, 60_000)
  const mailed = new Set(sink.taken.map(({ to }) => to))
  const lost = [...load.acknowledged].filter(address => !mailed.has(address))
  t.same(lost, [], 'nothing that was acknowledged is lost, and mail went on')
  t.comment(`${load.acknowledged.size} acknowledged, ${sink.taken.length - mailed.size} repeats`)
}

export interface Restarts {
  server: Server
  /** Stops the database and starts it again. */
  restart: () => Promise<void>
  rounds: number
}

/** Without a pause the visitors, not the database, would decide how long a restart takes. */
const betweenVisits = 20

/** R5: visitors who send requests all the time get a page, or are told that the database does not answer. */
export async function restartUnderLoad(t: Test, { server, restart, rounds }: Restarts): Promise<void> {
  let isOver = false
  const seen = new Set<number>()
  const visit = async (url: string) => {
    for (; !isOver; await pause(betweenVisits)) seen.add((await server.get(url)).status)
  }
  const visits = Promise.all(['/', '/people', '/sign-in', '/invite'].map(visit))
  const restarts = async () => {
    for (let round = 0; round < rounds; round += 1) {
      await restart()
      await until(async () => (await server.get('/')).status === 200)
    }
  }
  await Promise.race([visits, restarts()])
  isOver = true
  await visits
  t.same(
    [...seen].filter(status => ![200, 303, 503].includes(status)),
    []
  )
}

/** The server's own process first, then its helpers and the processes of its connections. */
function serverProcesses({ folder }: EmbeddedServer): number[] {
  const main = Number(fs.readFileSync(path.join(folder, 'pg18/postmaster.pid'), 'utf8').split('\n')[0])
  const helpers = fs.readFileSync(`/proc/${main}/task/${main}/children`, 'utf8').trim().split(' ')
  return [main, ...helpers.map(Number)]
}

/** Visitors, a user who types and a user who uploads, each again and again. */
function workHard(server: Server) {
  const acknowledged = new Set<string>()
  const statuses = new Set<number>()
  let isOver = false
  let count = 0
  const again = async (act: () => Promise<number | undefined>) => {
    for (; !isOver; await pause(betweenVisits)) statuses.add((await act()) ?? 503)
  }
  const type = async () => {
    const email = numbered(2, `typed${count++}.`)
    const { status } = await server.post('/invite', { email })
    if (status === 303) for (const address of email) acknowledged.add(address)
    return status
  }
  const upload = async () => {
    const addresses = numbered(40, `listed${count++}.`)
    const id = await uploadOver(server, addresses)
    if (id !== undefined) for (const address of addresses) acknowledged.add(address)
    return id && 303
  }
  const visit = (url: string) => async () => (await server.get(url)).status
  const done = Promise.all([type, upload, visit('/'), visit('/people')].map(again))
  const stop = () => {
    isOver = true
  }
  return { acknowledged, statuses, done, stop }
}
