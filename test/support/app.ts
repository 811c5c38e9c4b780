import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { buildApp } from '../../src/app.ts'
import type { Config } from '../../src/config/env.ts'
import { readConfig } from '../../src/config/env.ts'
import { connect, type Database } from '../../src/db/client.ts'
import type { MailTransport } from '../../src/mail/delivery.ts'
import { outboxTransport } from '../../src/mail/outbox.ts'
import { addMark } from '../../src/sessions/known-browser.ts'
import { tick } from '../../src/worker.ts'
import { cloneDatabase } from './database.ts'
import {
  addressOf,
  addUser,
  domains,
  goodPassword,
  organization,
  type Persona,
  readIds,
  sessionOf
} from './larkfield.ts'
import type { Multipart } from './multipart.ts'

export const baseUrl = 'http://localhost:3000'
export const setupToken = randomBytes(32).toString('base64url')
export const secretKey = Buffer.alloc(32, 7)
export { addressOf, addUser, domains, goodPassword, organization, type Persona }

export interface TestApp {
  app: FastifyInstance
  db: Database
  config: Config
  dataDir: string
  logged: string[]
  /** Runs the background work that is due, with the outbox or the given transport. */
  work: (transport?: MailTransport) => Promise<void>
  /** A browser: keeps its cookie, sends the right Host and Origin. Signed in if a persona is named. */
  browser: (persona?: Persona) => Promise<Browser>
  ids: Record<Persona, number>
  close: () => Promise<void>
}

export interface TestAppOptions {
  isSetUp?: boolean
  environment?: Record<string, string>
  /** Another connection to the database's server, such as one that can be cut. */
  through?: (url: string) => Promise<string>
}

/** The whole application on its own database, set up as Larkfield with its four users unless told otherwise. */
export async function startApp({ isSetUp = true, environment = {}, through }: TestAppOptions = {}): Promise<TestApp> {
  const { db, drop, url } = await cloneDatabase({ template: isSetUp ? 'larkfield' : 'empty' })
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-data-'))
  const config = readConfig({ BASE_URL: baseUrl, DATA_DIR: dataDir, ...environment })
  const logged: string[] = []
  const ownWay = through && connect(await through(url))
  const deps = { config, db: ownWay ?? db, secretKey, wake: () => {} }
  const app = await buildApp(deps, { setupToken, logTarget: { write: line => void logged.push(line) } })
  const ids = isSetUp ? await readIds(db) : ({} as Record<Persona, number>)
  return {
    ...{ app, db, config, dataDir, logged, ids },
    work: (transport = outboxTransport(path.join(dataDir, 'outbox'))) =>
      tick({ config, db, secretKey, log: app.log, transport }),
    browser: persona => openBrowser({ app, db, ids }, persona),
    close: async () => {
      await app.close()
      await ownWay?.$client.end({ timeout: 0 })
      await drop()
      fs.rmSync(dataDir, { recursive: true, force: true })
    }
  }
}

export type Fields = Record<string, string | string[]>

export interface Browser {
  /** The session's cookie. */
  cookie: string | undefined
  /** The mark of a known browser, which outlives the session. */
  mark: string | undefined
  get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  post: (url: string, fields?: Fields, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  upload: (url: string, form: Multipart, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  /** Follows one redirect of a POST and returns the page. */
  submit: (url: string, fields?: Fields) => Promise<LightMyRequestResponse>
}

async function openBrowser({ app, db, ids }: Pick<TestApp, 'app' | 'db' | 'ids'>, persona?: Persona): Promise<Browser> {
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
  /** Cookies of a step on the way in, such as the one that asks for the second factor. */
  const steps = new Map<string, string>()
  const cookie = (): Record<string, string> => {
    const all = [browser.cookie, browser.mark, ...steps.values()].filter(each => each !== undefined)
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
      else if (/-(factor|oidc)$/.test(name)) steps.set(name, `${name}=${value}`)
      else browser.cookie = value === '' ? undefined : `${name}=${value}`
    }
    return answer
  }
  if (persona) {
    // a test may have added users
    const id = ids[persona] ?? (await readIds(db))[persona]
    browser.cookie = `${app.cookieName}=${await sessionOf(db, id)}`
    browser.mark = `${app.cookieName}-browser=${addMark([secretKey], undefined, id)}`
  }
  return browser
}

/** A form as a browser sends it; a list becomes a repeated field. */
export function encode(fields: Fields): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) => [value].flat().map(each => [name, each]))
  return new URLSearchParams(pairs).toString()
}
