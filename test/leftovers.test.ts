/** What the test helpers start ends with the test file. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import { until } from './support/server.ts'

const support = path.join(import.meta.dirname, 'support')
const slapd = `
  import { startSlapd } from '${support}/slapd.ts'
  const { pid } = await startSlapd({ entries: [] })
  console.log(JSON.stringify({ pids: [pid] }))
  throw new Error('failed')`
const rollcall = `
  import { key, newFolder, processesIn, startServer } from '${support}/server.ts'
  const folder = newFolder()
  const server = await startServer({ environment: { DATA_DIR: folder, SECRET_KEY: key } })
  await server.ready
  console.log(JSON.stringify({ folder, pids: [server.pid, ...processesIn(folder)] }))
  setInterval(() => {}, 1000)
  process.kill(process.pid, 'SIGTERM')`

for (const [what, program, fewest] of [
  ['fails leaves no slapd', slapd, 1],
  ['is ended by a signal leaves no Rollcall, no PostgreSQL and no data folder', rollcall, 3]
] as const)
  test(`a test file that ${what} behind`, async t => {
    const words = ['--input-type=module', '-e', program]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] })
    const [said] = await Promise.all([text(child.stdout), once(child, 'exit')])
    const { folder = '/nowhere', pids } = JSON.parse(said) as { folder?: string; pids: number[] }
    t.ok(pids.length >= fewest, `${pids.length} processes`)
    await until(() => !pids.some(isRunning))
    t.notOk(fs.existsSync(folder))
  })

/** A process that has not ended and does not just wait for its parent. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
