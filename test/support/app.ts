import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { buildApp } from '../../src/app.ts'
import type { Config } from '../../src/config/env.ts'
import { readConfig } from '../../src/config/env.ts'
import { connect, type Database } from '../../src/db/client.ts'
import { parseAddress } from '../../src/lib/addresses/email-address.ts'
import type { Role } from '../../src/lib/role.ts'
import { hashPassword } from '../../src/lib/secrets/password.ts'
import type { MailTransport } from '../../src/mail/delivery.ts'
import { outboxTransport } from '../../src/mail/outbox.ts'
import { insertUser, setDeactivated } from '../../src/people/store.ts'
import { setUp } from '../../src/setup/set-up.ts'
import { tick } from '../../src/worker.ts'
import { cloneDatabase } from './database.ts'
import type { Multipart } from './multipart.ts'

export const baseUrl = 'http://localhost:3000'
export const goodPassword = 'seven-otters-swim-north'
export const setupToken = randomBytes(32).toString('base64url')
export const secretKey = Buffer.alloc(32, 7)
export const organization = 'Larkfield'
export const domains = ['larkfield.example', 'larkfield-retail.example']

/** Ada is the owner, Ben an admin, Cleo an auditor, Dan a member; Eve is outside. */
export type Persona = 'ada' | 'ben' | 'cleo' | 'dan'
const roleOf: Record<Persona, Role> = { ada: 'owner', ben: 'admin', cleo: 'auditor', dan: 'member' }
const passwordHash = hashPassword(goodPassword)

export interface TestApp {
  app: FastifyInstance
  db: Database
  config: Config
  dataDir: string
  logged: string[]
  /** Does the background work that is due, with the outbox or the transport given. */
  work: (transport?: MailTransport) => Promise<void>
  /** A browser: keeps its cookie, sends the right Host and Origin. Signed in when a persona is named. */
  browser: (persona?: Persona) => Promise<Browser>
  ids: Record<Persona, number>
  close: () => Promise<void>
}

export interface TestAppOptions {
  isSetUp?: boolean
  environment?: Record<string, string>
  /** Another way to the database's server, such as one that can be cut. */
  through?: (url: string) => Promise<string>
}

/** The whole application on a database of its own, set up as Larkfield with its four users unless told otherwise. */
export async function startApp({ isSetUp = true, environment = {}, through }: TestAppOptions = {}): Promise<TestApp> {
  const { db, drop, url } = await cloneDatabase()
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-data-'))
  const config = readConfig({ BASE_URL: baseUrl, DATA_DIR: dataDir, ...environment })
  const logged: string[] = []
  const ownWay = through && connect(await through(url))
  const deps = { config, db: ownWay ?? db, secretKey, wake: () => {} }
  const app = await buildApp(deps, { setupToken, logTarget: { write: line => void logged.push(line) } })
  const ids = isSetUp ? await introduce(db) : ({} as Record<Persona, number>)
  return {
    ...{ app, db, config, dataDir, logged, ids },
    work: (transport = outboxTransport(path.join(dataDir, 'outbox'))) =>
      tick({ config, db, secretKey, log: app.log, transport }),
    browser: persona => openBrowser(app, persona),
    close: async () => {
      await app.close()
      await ownWay?.$client.end({ timeout: 0 })
      await drop()
      fs.rmSync(dataDir, { recursive: true, force: true })
    }
  }
}

async function introduce(db: Database): Promise<Record<Persona, number>> {
  const address = addressOf('ada@larkfield.example')
  const result = await setUp(db, { organization, domains, name: 'Ada', address, password: goodPassword })
  if (result.outcome !== 'set-up') throw new Error('the test database was set up before')
  const others = await Promise.all(
    (['ben', 'cleo', 'dan'] as const).map(async name => [name, await addUser(db, name, roleOf[name])])
  )
  return { ada: result.ownerId, ...Object.fromEntries(others) } as Record<Persona, number>
}

/** A user who signed up, with the password that every persona has. */
export async function addUser(db: Database, name: string, role: Role, { isDeactivated = false } = {}): Promise<number> {
  const { address: email, key: addressKey } = addressOf(`${name}@larkfield.example`)
  const shown = name[0]!.toUpperCase() + name.slice(1)
  const id = await insertUser(db, { email, addressKey, name: shown, role, passwordHash: await passwordHash })
  if (isDeactivated) await setDeactivated(db, id, true)
  return id
}

export function addressOf(text: string) {
  const parsed = parseAddress(text)
  if ('fault' in parsed) throw new Error(`${text}: ${parsed.fault}`)
  return parsed
}

export type Fields = Record<string, string | string[]>

export interface Browser {
  /** Of the session. */
  cookie: string | undefined
  /** That it has signed in before, which outlives the session. */
  mark: string | undefined
  get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  post: (url: string, fields?: Fields, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  upload: (url: string, form: Multipart, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  /** Follows one redirect of a POST and returns the page. */
  submit: (url: string, fields?: Fields) => Promise<LightMyRequestResponse>
}

async function openBrowser(app: FastifyInstance, persona?: Persona): Promise<Browser> {
  const browser: Browser = {
    cookie: undefined,
    mark: undefined,
    get: async (url, headers = {}) =>
      keep(await app.inject({ url, headers: { host: 'localhost:3000', ...cookie(), ...headers } })),
    post: async (url, fields = {}, headers = {}) =>
      keep(await app.inject({ method: 'POST', url, payload: encode(fields), headers: formHeaders(headers) })),
    upload: async (url, { body, type }, headers = {}) =>
      keep(
        await app.inject({
          method: 'POST',
          url,
          payload: body,
          headers: formHeaders({ 'content-type': type, ...headers })
        })
      ),
    submit: async (url, fields) => {
      const answer = await browser.post(url, fields)
      return answer.statusCode === 303 ? browser.get(answer.headers.location!) : answer
    }
  }
  const cookie = (): Record<string, string> => {
    const all = [browser.cookie, browser.mark].filter(each => each !== undefined)
    return all.length > 0 ? { cookie: all.join('; ') } : {}
  }
  const formHeaders = (headers: Record<string, string>) => ({
    host: 'localhost:3000',
    origin: baseUrl,
    'content-type': 'application/x-www-form-urlencoded',
    ...cookie(),
    ...headers
  })
  const keep = (answer: LightMyRequestResponse) => {
    for (const { name, value } of answer.cookies) {
      if (name.endsWith('-browser')) browser.mark = `${name}=${value}`
      else browser.cookie = value === '' ? undefined : `${name}=${value}`
    }
    return answer
  }
  if (persona) {
    const answer = await browser.post('/sign-in', { email: `${persona}@larkfield.example`, password: goodPassword })
    if (answer.statusCode !== 303) throw new Error(`${persona} could not sign in: ${answer.statusCode}`)
  }
  return browser
}

/** A form as a browser sends it; a list becomes a repeated field. */
export function encode(fields: Fields): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) => [value].flat().map(each => [name, each]))
  return new URLSearchParams(pairs).toString()
}
