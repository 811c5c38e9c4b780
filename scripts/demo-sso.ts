/** Rollcall beside a provider to try sign-in with an organization's account: `npm run demo:sso [FOLDER]`. For one machine only. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { startProvider } from '../test/support/provider.ts'

const root = path.join(import.meta.dirname, '..')
const [given] = process.argv.slice(2)
const folder = given ? path.resolve(given) : fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-demo-'))
// else the database, whose user may not be ours, would live elsewhere and stay
if (!given) fs.chmodSync(folder, 0o755)
const port = Number(process.env.PORT ?? 3000)
const baseUrl = `http://localhost:${port}`
const password = 'seven-otters-swim-north'
const at = (name: string) => `${name}@larkfield.example`

const people = {
  ada: { name: 'Ada Ames', groups: ['owners'], note: 'owner: sees everything' },
  ben: { name: 'Ben Birch', groups: ['nurses'], note: 'invited: choosing Ben accepts the invitation' },
  cleo: { name: 'Cleo Cole', groups: ['nurses', 'night'], note: 'invited' },
  dan: { name: 'Dan Dove', groups: [], note: 'not invited: Rollcall says so' },
  eve: { name: 'Eve Elm', groups: [], note: 'the provider does not confirm her address: Rollcall says so' }
}

const provider = await startProvider({ baseUrl, port: port + 1, asks: true })
for (const [id, { name, groups }] of Object.entries(people))
  provider.accounts.set(id, { name, groups, email: at(id), email_verified: id !== 'eve' })

const { DATABASE_URL: _, SMTP_URL: __, ...rest } = process.env
const rollcall = spawn(process.execPath, ['src/server.ts'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...rest, PORT: String(port), BASE_URL: baseUrl, DATA_DIR: folder, LOG_LEVEL: 'warn', ...provider.environment }
})

let isLeaving = false
const ended = new Promise<number>(done => rollcall.once('exit', code => done(code ?? 1)))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    isLeaving = true
    rollcall.kill('SIGTERM')
  })
void ended.then(async code => {
  await provider.close()
  if (!given) fs.rmSync(folder, { recursive: true, force: true })
  process.exit(isLeaving ? 0 : code)
})

let setupToken: string | undefined
for await (const line of createInterface(rollcall.stdout)) {
  setupToken = /\/setup\?token=([\w-]+)/.exec(line)?.[1]
  // the line with the link follows at once, where there is one
  if (line.startsWith('Rollcall is ready')) setTimeout(() => void begin().catch(giveUp), 200)
}

function giveUp(error: unknown) {
  console.error(error)
  rollcall.kill('SIGTERM')
}

async function begin() {
  if (setupToken) await setUp(setupToken)
  const choices = Object.entries(people).map(([id, { name, note }]) => `  ${name} (${at(id)}): ${note}`)
  process.stdout.write(`Open ${baseUrl}/sign-in and select “Sign in with your organization’s account”. Then choose:
${choices.join('\n')}
Ada can also sign in with the password ${password}
The provider is ${provider.issuer}, the data is in ${folder}. Ctrl-C ends both.
`)
}

/** Larkfield with Ada as its owner, who has invited two people. */
async function setUp(token: string) {
  const first = {
    token,
    organization: 'Larkfield',
    domains: 'larkfield.example',
    name: 'Ada Ames',
    email: at('ada'),
    password
  }
  const cookie = (await post('/setup', new URLSearchParams(first), '')).headers
    .getSetCookie()
    .map(each => each.split(';', 1)[0])
  const emails = [at('ben'), at('cleo'), '', '', ''].map(email => ['email', email])
  await post('/invite', new URLSearchParams(emails), cookie.join('; '))
}

async function post(path: string, body: URLSearchParams, cookie: string): Promise<Response> {
  const answer = await fetch(baseUrl + path, {
    method: 'POST',
    body,
    redirect: 'manual',
    headers: { origin: baseUrl, cookie }
  })
  if (answer.status !== 303) throw new Error(`${path} answered ${answer.status}`)
  return answer
}
