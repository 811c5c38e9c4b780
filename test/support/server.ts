/** The real process: `src/server.ts` with its own environment, on a port chosen by the system. */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import http, { type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { encode, goodPassword } from './app.ts'
import { atExit } from './at-exit.ts'

const root = path.join(import.meta.dirname, '../..')
export const key = Buffer.alloc(32, 7).toString('base64')

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Server {
  baseUrl: string
  pid: number
  stdout: () => string[]
  stderr: () => string[]
  /** Resolves when it is ready; rejects with its output if it ends before that. */
  ready: Promise<void>
  exit: Promise<Exit>
  /** Sends a signal and waits for the end. */
  stop: (signal?: NodeJS.Signals) => Promise<Exit>
  /** The token of the setup link that it printed. */
  setupToken: () => string
  get: (url: string, options?: RequestOptions) => Promise<Answer>
  /** Posts a form from Rollcall's own page; keeps the cookie for later. */
  post: (url: string, fields?: Record<string, string | string[]>) => Promise<Answer>
  /** Its cookie, which another process can use. */
  cookie: { value: string }
}

const started = new Set<ChildProcess>()

export interface ServerOptions {
  environment?: Record<string, string>
  /** The path of a module that runs before the program. */
  preload?: string
  /** Starts it as an operator does, in a separate process group. */
  withNpm?: boolean
}

/** Starts the process; await `ready` or `exit`. `endServers` ends processes that a test leaves behind. */
export async function startServer({ environment = {}, preload, withNpm }: ServerOptions = {}): Promise<Server> {
  const port = environment.PORT ?? String(await freePort())
  // without the cache, each start strips the types of 300 files and compiles them: half of its CPU time
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  const [command, ...words] = withNpm
    ? ['npm', 'start']
    : [process.execPath, ...(preload ? ['--import', preload] : []), 'src/server.ts']
  const env = { PATH, HOME, NODE_COMPILE_CACHE, PORT: port, ...environment }
  const child = spawn(command!, words, { cwd: root, env, detached: withNpm, stdio: ['ignore', 'pipe', 'pipe'] })
  started.add(child)
  atExit(() => killGroup(child, withNpm))
  return serverOf(child, environment.BASE_URL ?? `http://localhost:${port}`, `http://127.0.0.1:${port}`)
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess, withNpm = false) {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(withNpm ? -pid : pid, 'SIGKILL')
}

function serverOf(child: ChildProcess, baseUrl: string, address: string): Server {
  const said = { stdout: '', stderr: '' }
  const exit = new Promise<Exit>(resolve => child.once('close', (code, signal) => resolve({ code, signal })))
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', chunk => {
      said.stdout += chunk
      if (/^Rollcall is ready at .*\n/m.test(said.stdout)) resolve()
    })
    child.stderr!.on('data', chunk => (said.stderr += chunk))
    exit.then(({ code }) => reject(new Error(`ended with ${code} before it was ready: ${said.stderr}`)))
  })
  ready.catch(() => {})
  const cookie = { value: '' }
  const formHeaders = { origin: baseUrl, 'content-type': 'application/x-www-form-urlencoded' }
  const send = async (url: string, options: RequestOptions, body?: string) => {
    const { host } = new URL(baseUrl)
    const headers = { host, ...(cookie.value ? { cookie: cookie.value } : {}), ...options.headers }
    const answer = await request(`${address}${url}`, { ...options, headers }, body)
    for (const each of answer.headers['set-cookie'] ?? []) cookie.value = each.split(';')[0]!
    return answer
  }
  return {
    ...{ baseUrl, pid: child.pid!, exit, ready, cookie },
    stdout: () => linesOf(said.stdout),
    stderr: () => linesOf(said.stderr),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      return exit
    },
    setupToken: () => /\/setup\?token=(\S+)/.exec(said.stdout)![1]!,
    get: (url, options = {}) => send(url, options),
    post: (url, fields = {}) => send(url, { method: 'POST', headers: formHeaders }, encode(fields))
  }
}

/** One request, on a new connection unless an agent is given. */
function request(url: string, options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(20_000)
    const sent = http.request(url, { agent: false, signal, ...options }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: answer.statusCode!, headers: answer.headers, text })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const linesOf = (text: string) => text.split('\n').filter(Boolean)

/** Ends every process that is still running. */
export async function endServers(): Promise<void> {
  for (const child of started) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  }
  await Promise.all(
    [...started].map(child => until(() => child.exitCode !== null || child.signalCode !== null, 30_000))
  )
  started.clear()
}

/** Sets Rollcall up as Larkfield, which signs Ada in. */
export async function setUpOver(server: Server): Promise<void> {
  const answer = await server.post('/setup', {
    token: server.setupToken(),
    organization: 'Larkfield',
    domains: 'larkfield.example',
    name: 'Ada',
    email: 'ada@larkfield.example',
    password: goodPassword
  })
  if (answer.status !== 303) throw new Error(`set-up answered ${answer.status}`)
}

/** Invites up to five people through the form; returns the batch's page. */
export async function inviteOver(server: Server, ...addresses: string[]): Promise<string> {
  const answer = await server.post('/invite', { email: addresses })
  if (answer.status !== 303) throw new Error(`inviting answered ${answer.status}`)
  return answer.headers.location!
}

/** Waits for a condition, checking every 20 ms, for at most `milliseconds`. */
export async function until(condition: () => unknown, milliseconds = 15_000): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not so after ${milliseconds} ms: ${condition}`)
    await pause(20)
  }
}

/** A folder that the database server's user can enter. `removeFolder` ends processes that still work in it. */
export function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-server-'))
  fs.chmodSync(folder, 0o755)
  atExit(() => fs.existsSync(folder) && removeFolder(folder))
  return folder
}

export function removeFolder(folder: string): void {
  for (const pid of processesIn(folder)) process.kill(pid, 'SIGKILL')
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** The files of a data folder's outbox, without unfinished ones. */
export function outboxOf(folder: string): string[] {
  const outbox = path.join(folder, 'outbox')
  return fs.existsSync(outbox) ? fs.readdirSync(outbox).filter(name => name.endsWith('.eml')) : []
}

/** The processes that work in a folder: a server and its helpers. */
export function processesIn(folder: string): number[] {
  const pids = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.filter(pid => cwdOf(pid)?.startsWith(folder)).map(Number)
}

function cwdOf(pid: string): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** A recently free port. */
export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
