/** Finds, starts and ends the embedded PostgreSQL's server process. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { isAlive } from './data-folder.ts'
import { giveTo, type Identity } from './postgres-binaries.ts'

export interface ServerPlace {
  bin: string
  data: string
  sockets: string
  identity: Identity
  throwaway: boolean
  connections: number
}

export interface ServerProcess {
  pid: number
  sockets: string
}

const user = 'rollcall'
const environment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' })

export const urlOf = (sockets: string) => `postgres://${user}@localhost/postgres?host=${encodeURIComponent(sockets)}`

/** Makes an empty database under another name and moves it into place: a killed first start leaves no broken one. */
export async function initialize({ bin, data, identity, throwaway }: ServerPlace): Promise<void> {
  const parent = path.dirname(data)
  const partial = `${path.basename(data)}.part`
  for (const name of fs.readdirSync(parent).filter(each => each.startsWith(partial)))
    removePart(path.join(parent, name))
  if (fs.existsSync(path.join(data, 'PG_VERSION'))) return
  const part = fs.mkdtempSync(path.join(parent, `${partial}-`))
  giveTo(identity, part)
  const words = ['-D', part, '-U', user, '-A', 'trust', '-E', 'UTF8', '--no-instructions']
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const options = { ...identity, cwd: part, env: environment() }
  const speed = throwaway ? ['--no-sync'] : []
  await promisify(execFile)(path.join(bin, 'initdb'), [...words, ...locale, ...speed], options).catch(error => {
    throw new Error(`initdb failed: ${inOneLine(error.stderr || error.message)}`)
  })
  fs.renameSync(part, data)
  syncFolder(parent)
}

/** Removes what a killed first start left. Its initdb may still run and write the folder again, so it ends first. */
function removePart(part: string) {
  const folder = fs.statSync(part)
  const pids = fs.existsSync('/proc/self/cwd') ? fs.readdirSync('/proc').map(Number) : []
  for (const pid of pids) if (pid > 0) endInitializing(pid, folder)
  fs.rmSync(part, { recursive: true, force: true, maxRetries: 5 })
}

/** Ends the process if it is an initdb, or a server started by one, working in that folder. */
function endInitializing(pid: number, folder: fs.Stats) {
  try {
    const { ino, dev } = fs.statSync(`/proc/${pid}/cwd`)
    const program = fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
    if (ino === folder.ino && dev === folder.dev && ['initdb', 'postgres'].includes(program))
      process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended, or belongs to another user
  }
}

/** Makes renames in the folder survive a power cut. Windows cannot, and need not. */
function syncFolder(folder: string) {
  if (process.platform === 'win32') return
  const handle = fs.openSync(folder, 'r')
  fs.fsyncSync(handle)
  fs.closeSync(handle)
}

/** A server's log as one line: its errors and hints, or all of it if there are none. */
function inOneLine(log: string): string {
  const lines = log.split('\n').map(line => line.trim())
  const faults = lines.flatMap(
    line => /\b(?:FATAL|PANIC|ERROR|error|HINT|DETAIL|LOG(?=: +(?:unrec|inval|synt))): +(.+)$/.exec(line)?.[1] ?? []
  )
  return (faults.length > 0 ? [...new Set(faults)] : lines.filter(Boolean)).join('; ')
}

/** The server that a killed Rollcall left running on this folder, once it answers. */
export async function findRunning(data: string): Promise<ServerProcess | undefined> {
  const file = path.join(data, 'postmaster.pid')
  if (!fs.existsSync(file)) return undefined
  const read = () => fs.readFileSync(file, 'utf8').split('\n')
  const pid = Number(read()[0])
  // after a reboot the id may belong to any process, and the server would refuse to start because of it
  if (isAlive(pid) && !isServing(pid, data)) fs.rmSync(file)
  const deadline = Date.now() + 15_000
  while (isServing(pid, data) && Date.now() < deadline) {
    // a starting server writes its socket's folder a moment after its id
    const sockets = fs.existsSync(file) ? read()[4] : undefined
    if (sockets && (await answers(sockets))) return { pid, sockets }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return undefined
}

/** Whether this process is a server that works in this folder; true when that cannot be seen. */
export function isServing(pid: number, data: string): boolean {
  if (!isAlive(pid)) return false
  try {
    const [found, wanted] = [fs.statSync(`/proc/${pid}/cwd`), fs.statSync(data)]
    return found.ino === wanted.ino && found.dev === wanted.dev
  } catch {
    return isAlive(pid)
  }
}

async function answers(sockets: string): Promise<boolean> {
  const client = postgres({ host: sockets, user, database: 'postgres', max: 1, connect_timeout: 2, onnotice: () => {} })
  try {
    await client`select 1`
    return true
  } catch {
    return false
  } finally {
    await client.end({ timeout: 1 })
  }
}

/** Starts a server and waits until it accepts connections. @throws with the server's log when it ends before that. */
export async function launch(place: ServerPlace): Promise<ServerProcess> {
  const { bin, data, sockets, identity, throwaway, connections } = place
  const careless = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }
  const settings = {
    listen_addresses: '',
    unix_socket_directories: sockets,
    unix_socket_permissions: '0700',
    max_connections: throwaway ? '200' : String(Math.max(60, connections + 20)),
    shared_buffers: throwaway ? '128MB' : '256MB',
    max_wal_size: throwaway ? '512MB' : '2GB',
    ...(throwaway ? careless : {})
  }
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  // its own process group: Ctrl-C must reach Rollcall first, which then stops the server
  const options = { ...identity, cwd: data, env: environment(), detached: true }
  const child = spawn(path.join(bin, 'postgres'), ['-D', data, ...words], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe']
  })
  await readyToAccept(child)
  child.unref()
  if (child.stderr instanceof net.Socket) child.stderr.unref()
  if (child.pid === undefined) throw new Error('the database server has no process id')
  return { pid: child.pid, sockets }
}

function readyToAccept(child: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  let log = ''
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      // clients that connect during recovery would crowd out the line that matters
      log = (log + chunk).slice(-20_000)
      if (/ready to accept (read-only )?connections/.test(log)) resolve()
    })
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`the database server ended (${code}): ${inOneLine(log)}`)))
  })
}

/** Rolls back open transactions and ends the server; kills it after a timeout, and the next start recovers. */
export async function end(pid: number, data: string): Promise<void> {
  const ways = [
    ['SIGINT', 8_000],
    ['SIGQUIT', 2_000],
    ['SIGKILL', 1_000]
  ] as const
  for (const [signal, timeoutMs] of ways) {
    if (isServing(pid, data)) process.kill(pid, signal)
    const deadline = Date.now() + timeoutMs
    while (isServing(pid, data) && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 20))
  }
}
