/** Rollcall as a user starts it, in a process of its own, set up and signed in over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'

export interface AppProcess {
  url: string
  cookie: string
  pid: number
  /** The most memory that it has had so far, in MB. */
  peakMegabytes: () => number
  get: (path: string) => Promise<Response>
  post: (path: string, body: BodyInit, headers?: Record<string, string>) => Promise<Response>
  stop: () => Promise<void>
}

const root = path.join(import.meta.dirname, '../..')
const password = 'seven-otters-swim-north'

/** Starts it on a free port with this environment, sets it up for larkfield.example and signs the owner in. */
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
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  if (answer.status !== 303) throw new Error(`set-up answered ${answer.status}`)
  return {
    ...{ url, cookie, pid: child.pid! },
    peakMegabytes: () => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024,
    get: target => fetch(url + target, { headers: { cookie } }),
    post: (target, body, headers = {}) => send(target, body, { cookie, ...headers }),
    stop: () => stop(child)
  }
}

/** Those of `npm start`: what is measured is what runs. */
function startArguments(): string[] {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  return scripts.start.split(' ').slice(1)
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
