/** Rollcall as a user starts it, in its own process, set up and signed in over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { connect } from '../../src/db/client.ts'

export interface AppProcess {
  url: string
  cookie: string
  pid: number
  /** The peak memory so far, in MB. */
  peakMegabytes: () => number
  get: (path: string) => Promise<Response>
  post: (path: string, body: BodyInit, headers?: Record<string, string>) => Promise<Response>
  stop: () => Promise<void>
}

const root = path.join(import.meta.dirname, '../..')
const password = 'seven-otters-swim-north'

/** The same with its own database, `rollcall_bench`; `drop` ends the process and drops that. */
export async function startOnServer(serverUrl: string, folder: string, environment: Record<string, string>) {
  const admin = connect(serverUrl, { connections: 1 })
  await admin.$client.unsafe('create database rollcall_bench')
  const url = new URL(serverUrl)
  url.pathname = '/rollcall_bench'
  const app = await startProcess({
    ...{
      DATABASE_URL: url.href,
      DATA_DIR: path.join(folder, 'app'),
      SECRET_KEY: Buffer.alloc(32, 7).toString('base64')
    },
    ...{ SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'rollcall@larkfield.example', ...environment }
  })
  const db = connect(serverUrl, { database: 'rollcall_bench', connections: 1 })
  const drop = async () => {
    await app.stop()
    await db.$client.end()
    await admin.$client.unsafe('drop database rollcall_bench with (force)')
    await admin.$client.end()
  }
  return { app, db, drop }
}

/** Starts Rollcall on a free port with this environment, sets it up for larkfield.example and signs the owner in. */
export async function startProcess(environment: Record<string, string>): Promise<AppProcess> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const env = { PATH: process.env.PATH ?? '', PORT: String(port), BASE_URL: url, LOG_LEVEL: 'warn', ...environment }
  const child = spawn(process.execPath, startArguments(), {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const token = await setupToken(child)
  const send = (target: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(url + target, {
      method: 'POST',
      body,
      headers: { origin: url, ...headers },
      redirect: 'manual',
      duplex: 'half'
    } as RequestInit)
  const form = {
    token,
    organization: 'Larkfield',
    domains: 'larkfield.example',
    name: 'Ada',
    email: 'ada@larkfield.example',
    password
  }
  const answer = await send('/setup', new URLSearchParams(form))
  const cookie = answer.headers
    .getSetCookie()
    .map(each => each.split(';')[0])
    .join('; ')
  if (answer.status !== 303) throw new Error(`setup returned ${answer.status}`)
  return {
    ...{ url, cookie, pid: child.pid! },
    peakMegabytes: () => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024,
    get: target => fetch(url + target, { headers: { cookie } }),
    post: (target, body, headers = {}) => send(target, body, { cookie, ...headers }),
    stop: () => stop(child)
  }
}

/** The flags of `npm start`, so that the benchmark runs the same process. */
function startArguments(): string[] {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  return scripts.start.replace(/^exec node /, '').split(' ')
}

async function setupToken(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const token = /\/setup\?token=([\w-]{43})/.exec(line)?.[1]
    if (token) return token
  }
  throw new Error('the application did not start')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await new Promise(resolve => child.once('exit', resolve))
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}
