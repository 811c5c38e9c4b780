/**
 * What kills and faults must leave behind, with the number of rounds as a parameter: few in test/faults, many in
 * test/long. The processes are real; only the times of leases and silence are shortened.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Database } from '../../src/db/client.ts'
import { decodeQuotedPrintable } from '../../src/lib/text/quoted-printable.ts'
import { batchOf, countsOf } from './batches.ts'
import { cloneDatabase, type TestDatabase } from './database.ts'
import { type ExpectedLine, expectedCounts, introduceCast, knownList, randomFrom } from './lists.ts'
import { type Multipart, multipart } from './multipart.ts'
import { type ScriptedServer, startScripted } from './scripted-smtp.ts'
import {
  endServers,
  freePort,
  key,
  newFolder,
  removeFolder,
  type Server,
  setUpOver,
  startServer,
  until
} from './server.ts'
import { openRequest, type SlowRequest } from './uploads.ts'
import { judgeAll } from './workers.ts'

type Environment = Record<string, string>

export interface Stage {
  db: Database
  /** Starts a process and waits until it is ready. */
  start: (environment?: Environment) => Promise<Server>
}

/** A database, new unless told otherwise, and processes that end with the test. */
export async function stage(t: Test, { url, template }: { url?: string; template?: 'larkfield' } = {}): Promise<Stage> {
  const database: TestDatabase | undefined = url ? undefined : await cloneDatabase(template ? { template } : {})
  const data = newFolder()
  t.teardown(async () => {
    await endServers()
    await database?.drop()
    removeFolder(data)
  })
  const base = { DATABASE_URL: url ?? database!.url, SECRET_KEY: key, DATA_DIR: data }
  const start = async (environment: Environment = {}) => {
    const server = await startServer({ environment: { ...base, ...environment } })
    await server.ready
    return server
  }
  return { db: database?.db as Database, start }
}

/** Makes workers look for work now, not within their three seconds. */
export const wake = (db: Database) => db.$client.notify('rollcall_work', '')

/** An unreachable mail server: emails are queued, none is sent. */
export const noMail = async (): Promise<Environment> => mailTo(await freePort())
export const mailTo = (port: number): Environment => ({
  SMTP_URL: `smtp://127.0.0.1:${port}`,
  MAIL_FROM: 'Larkfield <people@larkfield.example>'
})

export async function startSink(t: Test): Promise<ScriptedServer> {
  const sink = await startScripted()
  t.teardown(sink.stop)
  return sink
}

export const numbered = (count: number, name = 'person') =>
  Array.from({ length: count }, (_, index) => `${name}${index}@larkfield.example`)

export const listForm = (lines: string[] | string) =>
  multipart({ action: 'send' }, { name: 'people.txt', content: [lines].flat().join('\n') })

/** An upload to a process, sent by hand. */
export function openUpload({ baseUrl, cookie }: Server, { body, type }: Multipart): SlowRequest {
  const { host, port } = new URL(baseUrl)
  const own = { host, origin: baseUrl, cookie: cookie.value }
  return openRequest(Number(port), '/bulk', { ...own, 'content-type': type, 'content-length': body.length })
}

/** A whole upload; returns the batch's id, or undefined if it was not accepted. */
export async function uploadOver(server: Server, lines: string[] | string): Promise<number | undefined> {
  const form = listForm(lines)
  const request = openUpload(server, form)
  void request.write(form.body)
  request.end()
  const { status, headers } = await request.answer
  return status === 303 ? Number(/^\/batches\/(\d+)$/.exec(headers.location!)![1]) : undefined
}

export interface Rounds {
  rounds: number
  lines: number
}

/** R1: the process dies during an upload. */
export async function killDuringUpload(t: Test, { rounds, lines }: Rounds): Promise<void> {
  const { db, start } = await stage(t)
  const environment = await noMail()
  let server = await start(environment)
  await setUpOver(server)
  const { cookie } = server
  const form = listForm(numbered(lines))
  const random = randomFrom(lines)
  const chunk = 5_000
  for (let round = 0; round < rounds; round += 1) {
    const request = openUpload(server, form)
    const bytes = Math.ceil(random() * (form.body.length - 1))
    await request.write(form.body.subarray(0, bytes))
    const whole = Math.max(0, Math.floor(((bytes / form.body.length) * lines) / chunk) - 2)
    const target = Math.floor(random() * (whole + 1)) * chunk
    await until(async () => {
      const rows = await db.$client`select from batches where state = 'receiving' and lines >= ${target}`
      return rows.length > 0
    })
    await server.stop('SIGKILL')
    await request.answer.catch(() => {})
    server = await start(environment)
    server.cookie.value = cookie.value
    const left = await db.$client`select state from batches where state <> 'incomplete'`
    t.same([...left], [{ state: 'receiving' }], 'what was cut waits for more')
    await db.$client`update batches set received_at = now() - interval '2 minutes' where state = 'receiving'`
    await wake(db)
    await until(async () => (await db.$client`select from batches where state = 'receiving'`).length === 0)
    const [sum] = await db.$client`
      select (select count(*) from batch_chunks) as chunks, (select count(*) from recipients) as recipients,
        (select count(*) from deliveries) as mails, count(*) filter (where state = 'incomplete') as incomplete
      from batches`
    t.same(sum, { chunks: 0, recipients: 0, mails: 0, incomplete: round + 1 }, 'it never sends')
  }
  const id = (await uploadOver(server, numbered(lines)))!
  await until(async () => (await batchOf(db, id)).state === 'sending', lines + 15_000)
  const counts = await countsOf(db, id)
  t.match(counts, { all: lines, lines: { invite: lines } })
  const [each] = await db.$client`
    select count(distinct address) as addresses, count(*) as mails from deliveries`
  t.same(each, { addresses: lines, mails: lines }, 'the same file again: each address once')
}

/** R2: the worker dies while judging. */
export async function killDuringJudging(t: Test, { rounds, lines: count }: Rounds): Promise<void> {
  const { db, start } = await stage(t)
  const web = await start({ ROLE: 'web' })
  await setUpOver(web)
  const [ada] = await db.$client`select id from people`
  await introduceCast(db, ada!.id)
  const { text, lines } = knownList(count)
  const id = (await uploadOver(web, text))!
  const environment = { ROLE: 'worker', ...(await noMail()) }
  const random = randomFrom(count)
  let deaths = 0
  for (let round = 1; round <= rounds; round += 1) {
    const worker = await start(environment)
    const target = ((round - random()) * lines.length) / (rounds + 1)
    await until(async () => (await batchOf(db, id)).judged! >= target)
    await pause(random() * 100)
    await worker.stop('SIGKILL')
    if ((await batchOf(db, id)).state === 'checking') deaths += 1
    await db.$client`update batches set lease_until = now() where lease_until is not null`
  }
  t.comment(`${deaths} of ${rounds} times in the middle of it`)
  const worker = await start(environment)
  await until(async () => (await batchOf(db, id)).state === 'sending', count + 15_000)
  t.same(await differences(db, id, lines), [], 'every line as it must be, none lost, none twice')
  const { lines: verdicts } = await countsOf(db, id)
  t.same(verdicts, expectedCounts(lines))
  const [mails] = await db.$client`
    select count(*) as n, count(distinct address) as addresses from deliveries where batch_id = ${id}`
  t.same(mails, { n: verdicts.invite, addresses: verdicts.invite }, 'everybody is invited once')
  t.same(await worker.stop(), { code: 0, signal: null })
}

/** The first lines that are not as expected. */
async function differences(db: Database, id: number, lines: ExpectedLine[]) {
  const rows = await db.$client`
    select line, text, address, verdict, first_line from recipients where batch_id = ${id} order by line`
  const isEqual = (wanted: ExpectedLine | undefined, found: Record<string, unknown> | undefined) =>
    wanted && found && Object.entries(wanted).every(([name, value]) => found[name] === value)
  const most = Math.max(rows.length, lines.length)
  const indexes = Array.from({ length: most }, (_, index) => index)
  return indexes.filter(index => !isEqual(lines[index], rows[index])).slice(0, 5)
}

/** How many extra emails one person may get per death: what a worker has in flight or not written down. */
const maxInFlight = 500 + 20

/** R3: the worker dies while sending. `isPatient`: the leases of the last one expire on their own. */
export async function killDuringSending(t: Test, { rounds, lines, isPatient }: Rounds & { isPatient?: boolean }) {
  const { db, start } = await stage(t)
  const sink = await startSink(t)
  const web = await start({ ROLE: 'web' })
  await setUpOver(web)
  const id = (await uploadOver(web, numbered(lines)))!
  await judgeAll(db)
  const environment = { ROLE: 'worker', ...mailTo(sink.settings.port) }
  const random = randomFrom(lines)
  let deaths = 0
  for (let round = 1; round <= rounds; round += 1) {
    const worker = await start(environment)
    const target = Math.ceil(((round - random()) * lines) / (rounds + 1))
    await until(() => sink.taken.length >= target)
    await worker.stop('SIGKILL')
    deaths += 1
    if (isPatient && round === rounds) break
    await db.$client`update deliveries set lease_until = now() - interval '1 second' where state = 'sending'`
  }
  await start(environment)
  const began = Date.now()
  await until(async () => (await batchOf(db, id)).state === 'done', isPatient ? 100_000 : 30_000)
  if (isPatient) t.comment(`all sent ${Math.round((Date.now() - began) / 1000)} s after the last start`)
  t.match(await countsOf(db, id), { mails: { sent: lines } })
  const repeats = checkMails(t, sink, numbered(lines))
  t.ok(repeats <= deaths * maxInFlight, `${repeats} repeats in ${deaths} deaths`)
  t.comment(`${repeats} repeats in ${deaths} deaths`)
}

/** Everyone got an email; repeats, which are counted, have the same link and Message-ID. */
export function checkMails(t: Test, { taken }: ScriptedServer, addresses: string[]): number {
  const mails = Map.groupBy(taken, ({ to }) => to)
  t.same([...mails.keys()].sort(), [...addresses].sort(), 'everybody got one')
  const marks = new Set<string>()
  let strays = 0
  for (const some of mails.values()) {
    const own = new Set(some.map(({ text }) => marksOf(text)))
    if (own.size > 1) strays += 1
    for (const mark of own) marks.add(mark)
  }
  t.equal(strays, 0, 'a repeat has the same Message-ID and the same link')
  t.equal(marks.size, mails.size, 'and no two people share one')
  return taken.length - mails.size
}

function marksOf(text: string): string {
  const plain = decodeQuotedPrintable(text).toString('utf8')
  const [, messageId] = /^Message-ID: (<\S+>)/m.exec(plain) ?? []
  const links = new Set(plain.match(/\/join\/[\w-]{43}/g))
  if (!messageId || links.size !== 1) throw new Error(`a mail with ${links.size} links: ${plain.slice(0, 500)}`)
  return `${messageId} ${[...links].join(' ')}`
}
