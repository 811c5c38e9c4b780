/**
 * Sending a batch over loopback to smtp-sink with ten connections: the physical limit (smtp-source), a nodemailer pool
 * that builds each message, and Rollcall with every database state. Needs postfix: apt-get install postfix.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import { promisify } from 'node:util'
import nodemailer from 'nodemailer'
import { receiveList, release } from '../src/batches/intake/receive.ts'
import { classifyNext } from '../src/batches/judging/classify.ts'
import { organizationDomains } from '../src/batches/recipient.ts'
import type { Database } from '../src/db/client.ts'
import { invitationComposer } from '../src/invitations/email.ts'
import { renderMail } from '../src/mail/compile.ts'
import { deliverDue } from '../src/mail/deliver-due.ts'
import { smtpTransport } from '../src/mail/smtp.ts'
import { addressOf, linesOf } from './support/lists.ts'
import { withServer } from './support/server.ts'

const connections = 10
const programs = { sink: '/usr/sbin/smtp-sink', source: '/usr/sbin/smtp-source' }
const secretKey = Buffer.alloc(32, 7)
const mailFrom = { name: 'Rollcall', address: 'rollcall@larkfield.example' }

export async function run(sizes: number[]): Promise<void> {
  for (const program of Object.values(programs)) {
    if (!fs.existsSync(program)) throw new Error(`${program} is missing: apt-get install postfix`)
  }
  console.log('emails     smtp-source/s   pool/s   ours/s   ours:pool   ours:source   peak MB')
  for (const size of sizes.length > 0 ? sizes : [5_000, 20_000]) await measure(size)
}

async function measure(count: number): Promise<void> {
  const { port, sink } = await startSink()
  try {
    const bytes = sizeOfMail()
    const source = count / (await seconds(() => sourceSends(port, count, bytes)))
    const ours = count / (await withServer(db => oursSends(db, port, count)))
    const peak = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))![1]) / 1024
    const few = Math.min(count, 5000)
    const pool = few / (await seconds(() => poolSends(port, few)))
    const cells = [
      String(count).padEnd(10),
      source.toFixed(0).padStart(13),
      pool.toFixed(0).padStart(8),
      ours.toFixed(0).padStart(8),
      (ours / pool).toFixed(1).padStart(11),
      `${((ours / source) * 100).toFixed(0)} %`.padStart(13),
      peak.toFixed(0).padStart(9)
    ]
    console.log(cells.join(' '))
  } finally {
    sink.kill()
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1000
}

async function startSink(): Promise<{ port: number; sink: ChildProcess }> {
  const port = await new Promise<number>(resolve => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })
  const sink = spawn(programs.sink, ['-u', 'nobody', `127.0.0.1:${port}`, '1024'], { stdio: 'ignore' })
  for (let tries = 0; tries < 100; tries++) {
    const isUp = await new Promise<boolean>(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
    if (isUp) return { port, sink }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('smtp-sink did not start')
}

const sourceSends = (port: number, count: number, bytes: number) =>
  promisify(execFile)(programs.source, [
    ...['-s', String(connections), '-m', String(count), '-l', String(bytes), '-d'],
    ...['-f', mailFrom.address, '-t', addressOf(1), `127.0.0.1:${port}`]
  ])

const frame = {
  ...{ kind: 'invitation', language: 'en', direction: 'ltr' as const, from: mailFrom },
  fixed: { organization: 'Larkfield', inviter: 'Ada' },
  varying: ['address', 'link', 'expires', 'optOut']
}
const values = {
  address: addressOf(1),
  link: `https://x.example/join/${'a'.repeat(43)}`,
  expires: '9 December 2026',
  optOut: 'https://x.example/unsubscribe/1'
}

const sizeOfMail = () => {
  const { text, html } = renderMail(frame, values)
  return text.length + html.length
}

async function poolSends(port: number, count: number): Promise<void> {
  const pool = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    pool: true,
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
    ignoreTLS: true
  })
  const { subject, text, html } = renderMail(frame, values)
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      pool.sendMail({ from: mailFrom, to: { name: '', address: addressOf(n + 1) }, subject, text, html })
    )
  )
  pool.close()
}

/** Seconds from the first claim until every email is done, in the database too. */
async function oursSends(db: Database, port: number, count: number): Promise<number> {
  const taken = await receiveList(
    db,
    1,
    { name: 'list.txt', bytes: linesOf(count), isRefusal: () => false },
    organizationDomains(['larkfield.example'])
  )
  if (taken.outcome !== 'received') throw new Error(taken.reason)
  await release(db, 1, taken.batchId, { action: 'send', teamIds: [] })
  while (await classifyNext(db));
  const settings = { host: '127.0.0.1', port, secure: false, requireTls: false, connections, name: 'localhost' }
  const transport = smtpTransport(settings)
  const log = { info: () => {}, warn: console.error, error: console.error }
  const composers = { invitation: invitationComposer({ baseUrl: 'https://x.example', secretKey, mailFrom }) }
  const took = await seconds(() => deliverDue({ db, log, transport, composers, mailHost: 'x.example' }))
  await transport.close()
  const [row] = await db.$client`select state, mails_sent from batches`
  if (row!.state !== 'done' || row!.mailsSent !== count) throw new Error(`not all sent: ${JSON.stringify(row)}`)
  return took
}
