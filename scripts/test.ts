/**
 * Starts one throwaway PostgreSQL for the whole run (unless TEST_DATABASE_URL names a server), lays the schema in a
 * template database, runs tap and ends with "N passed, N failed". `--long` runs the tests of test/long, which take minutes.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { connect } from '../src/db/client.ts'
import { startEmbedded } from '../src/db/embedded/start.ts'
import { migrate } from '../src/db/migrate.ts'
import { installSystemPackages } from './system-packages.ts'

const root = path.join(import.meta.dirname, '..')
const words = process.argv.slice(2)
const long = words.includes('--long')
const files = words.filter(word => word !== '--long').flatMap(testsIn)
if (files.length === 0 || files.some(file => !file.includes('architecture'))) installSystemPackages()

let stopTests = () => {}
let isStopped = false
const stop = () => {
  isStopped = true
  stopTests()
}
// whoever ends the run, or stops reading what it says, leaves no server behind
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
process.stdout.on('error', stop)

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-test-'))
fs.chmodSync(folder, 0o755)
const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbedded(folder, { throwaway: true })
const url = process.env.TEST_DATABASE_URL ?? server!.url
try {
  await layTemplate(url)
} catch (error) {
  await server?.stop()
  fs.rmSync(folder, { recursive: true, force: true })
  throw error
}

// each file is a process, and would compile the same modules anew
const compiled = path.join(root, 'node_modules/.cache/compiled')
const env = {
  ...process.env,
  NODE_ENV: 'test',
  NODE_COMPILE_CACHE: compiled,
  TEST_DATABASE_URL: url,
  ...(long ? { ROLLCALL_LONG: '1' } : {})
}
const tap = path.join(root, 'node_modules/tap/dist/esm/run.mjs')
const usual = long ? testsIn('test/long') : testsIn('test').filter(file => !file.startsWith('test/long'))
// tap itself leaves a core free; a test mostly waits for PostgreSQL, a mail server or a browser
const jobs = os.availableParallelism() + 1
const args = ['run', '--reporter=tap', `--jobs=${jobs}`, ...(files.length ? files : usual)]
const child = spawn(process.execPath, [tap, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
stopTests = () => child.kill()
if (isStopped) stop()

const counts = { passed: 0, failed: 0 }
let failing = false
for await (const line of createInterface({ input: child.stdout })) {
  const assertion = /^\s*(not )?ok \d+(?! - .*\.test\.ts)(?!.*# (SKIP|TODO))/.exec(line)
  const isLeaf = assertion && !/# time=/.test(line)
  if (isLeaf) counts[assertion[1] ? 'failed' : 'passed'] += 1
  if (/^(not )?ok \d+ - .*\.test\.ts/.test(line)) console.log(line.replace(/\{$/, '').trim())
  failing = /^\s*not ok/.test(line) || (failing && !/^\s*ok /.test(line) && !/^\s*\.\.\.$/.test(line))
  if (failing) console.log(line)
}
const code = await new Promise<number>(resolve => {
  if (child.exitCode !== null) resolve(child.exitCode)
  else child.on('exit', exit => resolve(exit ?? 1))
})
await server?.stop()
fs.rmSync(folder, { recursive: true, force: true })
if (code !== 0 && counts.failed === 0) counts.failed = 1
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exit(code)

/** The tests of a folder, or the file itself. */
function testsIn(name: string): string[] {
  if (!fs.statSync(name, { throwIfNoEntry: false })?.isDirectory()) return [name]
  const names = fs.readdirSync(name, { recursive: true, encoding: 'utf8' })
  return names.filter(each => each.endsWith('.test.ts')).map(each => path.join(name, each))
}

async function layTemplate(serverUrl: string) {
  const admin = connect(serverUrl)
  await admin.$client.unsafe('drop database if exists rollcall_template with (force)')
  await admin.$client.unsafe('create database rollcall_template')
  await admin.$client.end()
  const template = connect(serverUrl, { database: 'rollcall_template' })
  await migrate(template)
  await template.$client.end()
}
