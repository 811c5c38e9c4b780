/** The embedded PostgreSQL: binaries from the package registry, one server for each data folder, a unix socket only. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { splitUrl } from './client.ts'
import { binaries, fingerprint, type Identity, identityToRunAs, placeFor } from './postgres-binaries.ts'

export interface EmbeddedServer {
  url: string
  stop: () => Promise<void>
}

/** Another Rollcall holds this data folder. */
export class DataFolderTaken extends Error {}

const user = 'rollcall'

/**
 * Starts the server for `wanted` (created when missing), or takes over the one that a killed Rollcall left behind.
 * `throwaway` gives up durability for speed and removes the folder on stop.
 *
 * @throws DataFolderTaken when a living process holds the folder; Error with the server's log when it does not start.
 */
export async function startEmbedded(wanted: string, { throwaway = false } = {}): Promise<EmbeddedServer> {
  const identity = identityToRunAs()
  const folder = placeFor(path.resolve(wanted), identity)
  fs.mkdirSync(folder, { recursive: true })
  const owner = takeFolder(folder)
  try {
    const bin = await binaries(identity)
    const data = path.join(folder, 'pg18')
    const sockets = path.join(os.tmpdir(), `rollcall-${fingerprint(data)}`)
    for (const each of [data, sockets]) makePrivate(each, identity)
    await initialize(bin, data, identity, throwaway)
    const url = `postgres://${user}@localhost/postgres?host=${encodeURIComponent(sockets)}`
    const pid = (await runningServer(data, url)) ?? (await launch(bin, data, sockets, identity, throwaway))
    return { url, stop: () => stop(pid, data, owner, throwaway ? folder : undefined) }
  } catch (error) {
    fs.rmSync(owner, { force: true })
    throw error
  }
}

function makePrivate(folder: string, { uid, gid }: Identity) {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  fs.chmodSync(folder, 0o700)
  if (uid !== undefined) fs.chownSync(folder, uid, gid!)
}

/** Writes this process's id into the owner file, unless the process that stands there lives. */
function takeFolder(folder: string): string {
  const file = path.join(folder, 'rollcall.pid')
  for (;;) {
    try {
      fs.writeFileSync(file, `${process.pid} ${startedAt(process.pid)}`, { flag: 'wx' })
      return file
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const [pid, since] = fs.readFileSync(file, 'utf8').split(' ')
    // the start time tells a living owner from another process that was given the same id later
    if (isAlive(Number(pid)) && startedAt(Number(pid)) === since) {
      throw new DataFolderTaken(`another Rollcall (process ${pid}) is using ${folder}`)
    }
    fs.rmSync(file, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function startedAt(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

const environment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' })

async function initialize(bin: string, data: string, identity: Identity, throwaway: boolean) {
  if (fs.existsSync(path.join(data, 'PG_VERSION'))) return
  const words = ['-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--no-instructions']
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const options = { ...identity, cwd: data, env: environment() }
  await promisify(execFile)(
    path.join(bin, 'initdb'),
    [...words, ...locale, ...(throwaway ? ['--no-sync'] : [])],
    options
  )
}

/** The process id of a server that already answers on this folder. */
async function runningServer(data: string, url: string): Promise<number | undefined> {
  const file = path.join(data, 'postmaster.pid')
  if (!fs.existsSync(file)) return undefined
  const pid = Number(fs.readFileSync(file, 'utf8').split('\n')[0])
  if (!isAlive(pid)) return undefined
  const deadline = Date.now() + 15_000
  while (isAlive(pid) && Date.now() < deadline) {
    if (await answers(url)) return pid
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return undefined
}

async function answers(url: string): Promise<boolean> {
  const { address, host } = splitUrl(url)
  const client = postgres(address, { host: host!, max: 1, connect_timeout: 2, onnotice: () => {} })
  try {
    await client`select 1`
    return true
  } catch {
    return false
  } finally {
    await client.end({ timeout: 1 })
  }
}

async function launch(bin: string, data: string, sockets: string, identity: Identity, throwaway: boolean) {
  const careless = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }
  const settings = {
    listen_addresses: '',
    unix_socket_directories: sockets,
    unix_socket_permissions: '0700',
    max_connections: throwaway ? '200' : '60',
    shared_buffers: throwaway ? '128MB' : '256MB',
    max_wal_size: '2GB',
    ...(throwaway ? careless : {})
  }
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  // a process group of its own: Ctrl-C must reach Rollcall first, which then stops the server
  const options = { ...identity, cwd: data, env: environment(), detached: true }
  const child = spawn(path.join(bin, 'postgres'), ['-D', data, ...words], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe']
  })
  await readyToAccept(child)
  child.unref()
  ;(child.stderr as unknown as { unref: () => void }).unref()
  return child.pid!
}

function readyToAccept(child: ChildProcess): Promise<void> {
  let log = ''
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      if (log.length < 20_000) log += chunk
      if (chunk.includes('ready to accept connections')) resolve()
    })
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`The database server stopped (${code}): ${log.trim()}`)))
  })
}

async function stop(pid: number, data: string, owner: string, remove: string | undefined) {
  if (isAlive(pid)) process.kill(pid, 'SIGINT') // a "fast" shutdown: open transactions are rolled back
  const deadline = Date.now() + 20_000
  while (fs.existsSync(path.join(data, 'postmaster.pid')) && isAlive(pid) && Date.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  fs.rmSync(owner, { force: true })
  if (remove) fs.rmSync(remove, { recursive: true, force: true })
}
