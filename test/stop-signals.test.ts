/** The signals of supervisors, containers and terminals, sent to one process: npm, or the command of the systemd unit. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { isLong } from './support/long.ts'
import { endServers, freePort, newFolder, processesIn, removeFolder, startServer, until } from './support/server.ts'

const root = path.join(import.meta.dirname, '..')
const folder = newFolder()
t.teardown(async () => {
  await endServers()
  removeFolder(folder)
})

t.test('a signal to npm alone ends Rollcall and its database', async t => {
  for (const signal of isLong ? (['SIGTERM', 'SIGINT'] as const) : (['SIGTERM'] as const)) {
    const server = await startServer({ environment: { DATA_DIR: folder }, withNpm: true })
    await server.ready
    await server.stop(signal)
    await until(() => processesIn(folder).length === 0)
    t.notOk(fs.existsSync(path.join(folder, 'rollcall.pid')), `${signal}: the folder is free`)
    await t.rejects(server.get('/live'), { code: 'ECONNREFUSED' })
  }
})

t.test('the systemd unit runs the same command as npm start, and ends on the signals of systemd', async t => {
  const unit = fs.readFileSync(path.join(root, 'docs/rollcall.service'), 'utf8')
  const [, command] = /^ExecStart=\/opt\/rollcall\/(.*)$/m.exec(unit)!
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  t.equal(scripts.start, `exec ${command!.replace('node_modules/.bin/', '')}`)
  const [program, ...words] = command!.split(' ')
  for (const signal of isLong ? (['SIGTERM', 'SIGHUP'] as const) : (['SIGHUP'] as const)) {
    const env = { PATH: process.env.PATH, PORT: String(await freePort()), DATA_DIR: folder }
    const child = spawn(path.join(root, program!), words, { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] })
    const exit = new Promise(resolve => child.once('exit', resolve))
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.kill(signal)
    t.equal(await exit, 0, signal)
    t.same(processesIn(folder), [], 'no process is left')
  }
})
