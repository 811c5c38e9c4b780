/** Configuration → database → work and listen → stop without losing anything. */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import path from 'node:path'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { type Config, ConfigProblems, readConfig } from './config/env.ts'
import { type ConnectOptions, connect, type Database } from './db/client.ts'
import { divide, fewestConnections, usualConnections } from './db/connection/shares.ts'
import { DataFolderTaken } from './db/embedded/data-folder.ts'
import { type EmbeddedServer, startEmbedded } from './db/embedded/start.ts'
import { reasonOf } from './db/faults.ts'
import { notify } from './db/notices.ts'
import { DatabaseProblems, prepareDatabase } from './db/prepare.ts'
import { checkLdap } from './directory/check-environment.ts'
import { detectCopy } from './mail/origin.ts'
import { closeToOthers } from './mail/outbox.ts'
import { readOrganization } from './organization/store.ts'
import { readSecretKey, takeUpKey } from './secret-key.ts'
import { startWorker, type Worker } from './worker.ts'

/** Started parts, in order. */
const running: { embedded?: EmbeddedServer; pools: Database[]; worker?: Worker; app?: FastifyInstance } = { pools: [] }
const openResponses = new Set<ServerResponse>()
let isLeaving = false

const starting = start().catch(async error => {
  await stop()
  for (const line of wordsFor(error)) process.stderr.write(`${line}\n`)
  process.exit(1)
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void leave(0))
for (const bug of ['uncaughtException', 'unhandledRejection'] as const) process.on(bug, leaveBroken)

async function start() {
  const config = readConfig(undefined, checkLdap)
  const wanted = config.databasePool ?? usualConnections(config.role)
  const url = config.databaseUrl || (await startOwnDatabase(config, wanted))
  const demand = { connections: wanted, fewest: fewestConnections(config.role) }
  const { session, connections, warnings } = await prepareDatabase(url, demand).catch(inDatabase)
  const shares = divide(connections, config.role)
  const onRefused = sayOnce()
  const db = pool(url, { connections: shares.web, statementSeconds: 30, session, onRefused })
  // a mail server may be set now, but earlier emails still hold links
  closeToOthers(path.join(config.dataDir, 'outbox'))
  const secretKey = config.secretKey ?? readSecretKey(config.dataDir)
  const setupToken = randomBytes(32).toString('base64url')
  const app = await buildApp({ config, db, secretKey, wake: () => notify(db, 'rollcall_work') }, { setupToken })
  running.app = app
  for (const warning of warnings) app.log.warn(warning)
  await takeUpKey({ config, db, secretKey }, app.log)
  await detectCopy({ config, db, secretKey }, app.log)
  if (running.embedded) lookAfter(running.embedded, config.dataDir, app.log)
  if (config.role !== 'web') {
    const own = pool(url, { connections: shares.worker, statementSeconds: 60, session, onRefused })
    running.worker = await startWorker({ config, db: own, secretKey, log: app.log })
  }
  if (config.role !== 'worker') await listen(app, config)
  const isSetUp = (await readOrganization(db)) !== undefined
  if (isLeaving) return
  const lines = [`Rollcall is ready at ${config.baseUrl}`]
  if (!isSetUp && config.role !== 'worker') lines.push(`Set it up once at ${config.baseUrl}/setup?token=${setupToken}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function startOwnDatabase(config: Config, connections: number): Promise<string> {
  running.embedded = await startEmbedded(config.dataDir, { connections }).catch(inDataFolder(config))
  return running.embedded.url
}

function pool(url: string, options: ConnectOptions): Database {
  const db = connect(url, options)
  running.pools.push(db)
  return db
}

/** A full server may refuse connections again and again; its message is logged once for each number granted. */
function sayOnce(): NonNullable<ConnectOptions['onRefused']> {
  const said = new Set<number>()
  return (reason, granted) => {
    if (said.size < 50 && !said.has(granted))
      running.app?.log.warn(
        { granted, reason: reasonOf(reason) },
        'The database grants no further connection. Rollcall works with those that it has; raise the limit or lower DATABASE_POOL'
      )
    said.add(granted)
  }
}

function lookAfter(embedded: EmbeddedServer, dataDir: string, log: FastifyInstance['log']) {
  embedded.watch(log)
  if (embedded.folder !== path.resolve(dataDir))
    log.warn({ folder: embedded.folder }, 'The database lives here: its user cannot pass to DATA_DIR')
}

async function listen(app: FastifyInstance, { host, port }: Config) {
  app.server.prependListener('request', (_request, response) => {
    openResponses.add(response)
    response.once('close', () => openResponses.delete(response))
    if (isLeaving) endWithAnswer(response)
  })
  await app.listen({ host, port }).catch(error => {
    const name = error.code === 'EADDRINUSE' || error.code === 'EACCES' ? 'PORT' : 'HOST'
    throw new ConfigProblems([`${name}: cannot listen on ${host}:${port} (${error.code})`])
  })
}

/** Closes kept-alive connections with a response, not between two. */
function endWithAnswer(response: ServerResponse) {
  if (!response.headersSent) response.setHeader('connection', 'close')
}

function inDataFolder({ dataDir }: Config) {
  return (error: NodeJS.ErrnoException): never => {
    if (error instanceof DataFolderTaken) throw new ConfigProblems([`DATA_DIR: ${error.message}`])
    if (error.path?.startsWith(path.resolve(dataDir)))
      throw new ConfigProblems([`DATA_DIR: ${dataDir} cannot be used as a folder (${error.code})`])
    throw new Error(`the embedded database: ${error.message}`)
  }
}

/** A driver's error would show the statement, not what is wrong. */
function inDatabase(error: unknown): never {
  const problems = error instanceof DatabaseProblems ? error.problems : [reasonOf(error)]
  if (running.embedded) throw new Error(`the embedded database: ${problems.join('; ')}`)
  throw new ConfigProblems(problems.map(problem => `DATABASE_URL: ${problem}`))
}

/** One line per problem, even if a server's message has several. */
const wordsFor = (error: Error) =>
  (error instanceof ConfigProblems ? error.problems : [`Rollcall could not start: ${reasonOf(error)}`]).map(text =>
    text.trim().replace(/\s*\n\s*/g, '; ')
  )

/** Waits for the start to finish before stopping, so that nothing is left behind. */
async function leave(code: number) {
  if (isLeaving) return
  isLeaving = true
  for (const response of openResponses) endWithAnswer(response)
  setTimeout(() => process.exit(1), 29_000).unref()
  await starting
  await stop()
  process.exit(code)
}

function leaveBroken(error: unknown) {
  if (running.app) running.app.log.fatal({ err: error }, 'uncaught error')
  else process.stderr.write(`Rollcall could not start: ${reasonOf(error)}\n`)
  void leave(1)
}

/** Newest first, each within its share of the 30 seconds that an operator waits at most. */
async function stop() {
  const { app, worker, pools, embedded } = running
  await Promise.all([app && inTime(closeGently(app), 11_000), worker && inTime(worker.stop(), 11_000)])
  const ends = pools.map(db => db.$client.end({ timeout: 3 }))
  await inTime(Promise.all(ends), 4_000)
  if (embedded) await inTime(embedded.stop(), 12_000)
}

/** close() waits for slow requests without limit: short ones finish, the rest are cut off. */
async function closeGently(app: FastifyInstance) {
  // requests that have already arrived are handled, even when this process is slow
  await pause(300)
  for (let turns = 0; turns < 10; turns += 1) await turn()
  const cut = setTimeout(() => app.server.closeAllConnections(), 9_000)
  await app.close()
  clearTimeout(cut)
  await app.handlersDone() // an interrupted upload is recorded as incomplete
}

async function inTime(work: Promise<unknown>, milliseconds: number) {
  const late = pause(milliseconds, undefined, { ref: false })
  await Promise.race([work, late]).catch(error => process.stderr.write(`while stopping: ${reasonOf(error)}\n`))
}
