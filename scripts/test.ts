/**
 * Starts one throwaway PostgreSQL for the whole run (unless TEST_DATABASE_URL names a server), creates the
 * template databases, runs the test files in a few processes and ends with "N passed, N failed". `--long` runs the tests
 * in test/long, which take minutes, and those with more variants; `--apart` gives each file its own process; `--times` prints the CPU seconds of
 * each file.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { connect } from '../src/db/client.ts'
import { startEmbedded } from '../src/db/embedded/start.ts'
import { migrate } from '../src/db/migrate.ts'
import { introduce } from '../test/support/larkfield.ts'
import { secondsOfCpu } from './cpu.ts'
import { installSystemPackages } from './system-packages.ts'
import { type Outcome, runFiles } from './test-pool.ts'

process.chdir(path.join(import.meta.dirname, '..'))
const words = process.argv.slice(2)
const [long, apart, times] = ['--long', '--apart', '--times'].map(word => words.includes(word)) as [
  boolean,
  boolean,
  boolean
]
const named = words.filter(word => !word.startsWith('--')).flatMap(testsIn)
const usual = testsIn('test').filter(file => (long ? hasMore(file) : !isOfLimits(file)))
const files = inOrder(named.length > 0 ? named : usual)
const isLight = files.every(file => file.includes('architecture'))
if (!isLight) installSystemPackages()

const end = new AbortController()
const stop = () => end.abort()
// however the run ends, or if its output is no longer read, no server is left behind
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
process.stdout.on('error', stop)

const outcome = isLight ? await run({}) : await withDatabase(run)
if (times) printTimes(outcome)
console.log(`${outcome.passed} passed, ${outcome.failed} failed`)
process.exit(outcome.failed > 0 || end.signal.aborted ? 1 : 0)

function run(environment: Record<string, string>): Promise<Outcome> {
  const own = {
    NODE_ENV: 'test',
    // otherwise each process would compile the same modules again
    NODE_COMPILE_CACHE: path.resolve('node_modules/.cache/compiled'),
    // each file has its own limit, and a process has none
    TAP_TIMEOUT: '0',
    ...(long ? { ROLLCALL_LONG: '1' } : {})
  }
  return runFiles(files, {
    environment: { ...process.env, ...own, ...environment },
    apart,
    signal: end.signal,
    print: console.log
  })
}

async function withDatabase<T>(work: (environment: Record<string, string>) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(roomInMemory() ?? os.tmpdir(), 'rollcall-test-'))
  fs.chmodSync(folder, 0o755)
  const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbedded(folder, { throwaway: true })
  const url = process.env.TEST_DATABASE_URL ?? server!.url
  try {
    await layTemplates(url)
    return await work({ TEST_DATABASE_URL: url, TMPDIR: folder })
  } finally {
    await server?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** A folder in memory, if it can hold what the tests write: a database has 500 files, and a disk takes 5 times as long. */
function roomInMemory(): string | undefined {
  const folder = '/dev/shm'
  const needed = 4 * 1024 ** 3
  if (!fs.existsSync(folder) || process.availableMemory() < needed) return undefined
  const { bavail, bsize } = fs.statfsSync(folder)
  return bavail * bsize < needed ? undefined : folder
}

/** The databases that tests clone: one with only its tables, and one that is set up. */
async function layTemplates(serverUrl: string) {
  const admin = connect(serverUrl)
  for (const name of ['rollcall_empty', 'rollcall_larkfield'])
    await admin.$client.unsafe(`drop database if exists ${name} with (force)`)
  await admin.$client.unsafe('create database rollcall_empty')
  const empty = connect(serverUrl, { database: 'rollcall_empty' })
  await migrate(empty)
  await empty.$client.end()
  await admin.$client.unsafe('create database rollcall_larkfield template rollcall_empty')
  await admin.$client.end()
  const larkfield = connect(serverUrl, { database: 'rollcall_larkfield' })
  await introduce(larkfield)
  await larkfield.$client.end()
}

/** The tests of a folder, or the file itself. */
function testsIn(name: string): string[] {
  if (!fs.statSync(name, { throwIfNoEntry: false })?.isDirectory()) return [name]
  const names = fs.readdirSync(name, { recursive: true, encoding: 'utf8' })
  return names.filter(each => each.endsWith('.test.ts')).map(each => path.join(name, each))
}

/** Runs only with `--long`. */
function isOfLimits(file: string): boolean {
  return file.startsWith('test/long')
}

/** Tests more with `--long`: limits, and variants that take turns in `npm test` (test/support/long.ts). */
function hasMore(file: string): boolean {
  return isOfLimits(file) || /\/support\/long\.ts'|\bfindingsOf\b/.test(fs.readFileSync(file, 'utf8'))
}

/** Slow files first, so that no process is left with one of them at the end. */
function inOrder(files: string[]): string[] {
  const takesLong = /^test\/(server|secret-key|browser|faults|sync|mail)/
  const rank = (file: string) => (takesLong.test(file) ? 0 : 1)
  return files.toSorted((one, other) => rank(one) - rank(other))
}

function printTimes({ costs }: Outcome) {
  const total = (some: Outcome['costs']) => some.reduce((sum, { own, children }) => sum + own + children, 0)
  for (const { file, own, children } of costs.toSorted((a, b) => total([b]) - total([a])))
    console.log(
      `${(own + children).toFixed(1).padStart(6)} s CPU, ${children.toFixed(1)} of it in child processes: ${file}`
    )
  const whole = secondsOfCpu().reduce((own, children) => own + children)
  const shared = whole - total(costs)
  console.log(
    `${whole.toFixed(0).padStart(6)} s CPU in total, ${shared.toFixed(0)} of it in what files share: PostgreSQL`
  )
}
