/** Configuration → database → listen and work → stop without losing anything. */
import { randomBytes } from 'node:crypto'
import { buildApp } from './app.ts'
import { ConfigProblems, readConfig } from './config.ts'
import { connect } from './db/client.ts'
import { DataFolderTaken, startEmbedded } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { notify } from './db/notices.ts'
import { readOrganization } from './people/store.ts'
import { readSecretKey } from './secret-key.ts'
import { startWorker } from './worker.ts'

const stopSeconds = 25

try {
  await start()
} catch (error) {
  if (error instanceof ConfigProblems) fail(error.problems)
  if (error instanceof DataFolderTaken) fail([`DATA_DIR: ${error.message}`])
  fail([`Rollcall could not start: ${(error as Error).message}`])
}

function fail(lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`)
  process.exit(1)
}

async function start() {
  const config = readConfig()
  const embedded = config.databaseUrl ? undefined : await startEmbedded(config.dataDir)
  const onExit: (() => Promise<unknown>)[] = embedded ? [embedded.stop] : []
  try {
    await run(config, embedded?.url ?? config.databaseUrl!, onExit)
  } catch (error) {
    await stopAll(onExit)
    throw error
  }
}

async function run(config: ReturnType<typeof readConfig>, databaseUrl: string, onExit: (() => Promise<unknown>)[]) {
  const db = connect(databaseUrl, { connections: 12 })
  onExit.unshift(() => db.$client.end({ timeout: 5 }))
  await migrate(db)
  const secretKey = config.secretKey ?? readSecretKey(config.dataDir)
  const setupToken = randomBytes(32).toString('base64url')
  const app = await buildApp({ config, db, secretKey, wake: () => notify(db, 'rollcall_work') }, { setupToken })
  if (config.role !== 'web') onExit.unshift((await startWorker({ config, db, secretKey, log: app.log })).stop)
  if (config.role !== 'worker') {
    await app.listen({ host: config.host, port: config.port })
    onExit.unshift(() => closeWithin(app, 10_000))
  }
  stopOnSignal(onExit)
  process.stdout.write(`Rollcall is ready at ${config.baseUrl}\n`)
  if (config.role !== 'worker' && !(await readOrganization(db))) {
    process.stdout.write(`Set it up once at ${config.baseUrl}/setup?token=${setupToken}\n`)
  }
}

/** close() waits for slow requests without limit: short ones finish, the rest is cut. */
async function closeWithin(app: Awaited<ReturnType<typeof buildApp>>, milliseconds: number) {
  const cut = setTimeout(() => app.server.closeAllConnections(), milliseconds)
  await app.close()
  clearTimeout(cut)
}

function stopOnSignal(onExit: (() => Promise<unknown>)[]) {
  let isStopping = false
  const stop = async () => {
    if (isStopping) return
    isStopping = true
    setTimeout(() => process.exit(1), stopSeconds * 1000).unref()
    await stopAll(onExit)
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
}

async function stopAll(steps: (() => Promise<unknown>)[]) {
  for (const step of steps)
    await step().catch(error => process.stderr.write(`while stopping: ${(error as Error).message}\n`))
}
