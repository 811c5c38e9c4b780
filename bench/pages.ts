/**
 * Pages over a batch of a million recipients and a million people: open, search and filter, as a browser requests them,
 * in the process that serves them. Rollcall itself writes the rows.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildApp } from '../src/app.ts'
import { receiveList, release } from '../src/batches/intake/receive.ts'
import { classifyNext } from '../src/batches/judging/classify.ts'
import { organizationDomains } from '../src/batches/recipient.ts'
import { readConfig } from '../src/config/env.ts'
import type { Database } from '../src/db/client.ts'
import { compactCounts } from '../src/people/counts-store.ts'
import { startSession } from '../src/sessions/start-session.ts'
import { addressOf, linesOf } from './support/lists.ts'
import { withServer } from './support/server.ts'

const times = 20

export async function run(sizes: number[]): Promise<void> {
  for (const size of sizes.length > 0 ? sizes : [1_000_000]) await withServer(db => measure(db, size))
}

async function measure(db: Database, size: number): Promise<void> {
  await fill(db, size)
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-pages-'))
  const config = readConfig({ BASE_URL: 'http://localhost:3000', DATA_DIR: dataDir, LOG_LEVEL: 'silent' })
  const deps = { config, db, secretKey: randomBytes(32), wake: () => {} }
  const app = await buildApp(deps, { setupToken: randomBytes(32).toString('base64url') })
  const session = await startSession(db, 1, { userAgent: null, oldToken: undefined, method: 'password' })
  const headers = { host: 'localhost:3000', cookie: `${app.cookieName}=${session!.token}` }
  console.log(`${size.toLocaleString('en')} recipients and people: milliseconds over ${times} requests each`)
  console.log('page                                             median      max')
  for (const url of pagesFor(size)) {
    const taken: number[] = []
    for (let n = 0; n < times; n++) {
      const begin = performance.now()
      const answer = await app.inject({ url, headers })
      taken.push(performance.now() - begin)
      if (answer.statusCode !== 200) throw new Error(`${url} returned ${answer.statusCode}`)
    }
    taken.sort((one, other) => one - other)
    console.log(
      `${url.padEnd(46)} ${taken[times >> 1]!.toFixed(1).padStart(8)} ${taken.at(-1)!.toFixed(1).padStart(8)}`
    )
  }
  await app.close()
  fs.rmSync(dataDir, { recursive: true })
}

/** The batch, with some emails sent and a few of them failed, and a few people signed up, revoked and expired. */
async function fill(db: Database, size: number): Promise<void> {
  const bytes = linesOf(size)
  const file = { name: 'list.txt', bytes, isRefusal: () => false }
  const taken = await receiveList(db, 1, file, organizationDomains(['larkfield.example']))
  if (taken.outcome !== 'received') throw new Error(taken.reason)
  await release(db, 1, taken.batchId, { action: 'send', teamIds: [] })
  while (await classifyNext(db));
  await db.$client.unsafe(`
    update deliveries set state = 'failed' where id % 50021 = 0;
    update people p set delivery_state = d.state from deliveries d where d.id = p.delivery_id and d.state = 'failed';
    update batches set mails_failed = (select count(*) from deliveries where state = 'failed'),
      mails_queued = mails_queued - (select count(*) from deliveries where state = 'failed');
    update people set signed_up_at = now(), name = 'Person ' || id where id % 10 = 3 and id > 1;
    update people set invitation_revoked_at = now() where id % 100003 = 0;
    update people set invitation_expires_at = now() - interval '1 hour' where id % 40009 = 0;`)
  await db.transaction(tx => compactCounts(tx))
  await db.$client.unsafe('vacuum analyze')
}

function pagesFor(size: number): string[] {
  const rare = addressOf(size - 17).slice(0, 12)
  const filters = ['', '?q=person', `?q=${rare}`, '?q=zz', '?q=nobody-at-all']
  const people = [
    ...filters,
    ...['invited', 'expired', 'revoked', 'signed-up', 'deactivated'].map(status => `?status=${status}`),
    ...['queued', 'failed', 'sent'].map(state => `?delivery=${state}`),
    `?status=signed-up&q=${rare}`,
    `?after=${encodeURIComponent(addressOf(size >> 1))}`
  ]
  const batch = [
    ...filters,
    ...['invite', 'malformed', 'pending'].map(verdict => `?verdict=${verdict}`),
    ...['queued', 'failed', 'sent'].map(state => `?delivery=${state}`),
    `?after=${size >> 1}`
  ]
  return [
    '/',
    ...people.map(each => `/people${each}`),
    ...batch.map(each => `/batches/1${each}`),
    '/activity',
    '/metrics'
  ]
}
