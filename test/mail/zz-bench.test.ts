import { spawn } from 'node:child_process'
import { test } from 'tap'
import { deliverDue } from '../../src/mail/deliver-due.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { settingsFor } from '../support/smtp-server.ts'
import { countsOf, means, numbered, order, organization } from './orders.ts'

test('bench', async t => {
  const sink = spawn(process.execPath, ['/tmp/mailbench/sink.mjs', '12525'], { stdio: 'inherit' })
  await new Promise(r => setTimeout(r, 500))
  const { db, query, drop } = await organization()
  if (process.env.BENCH_INDEX) await query`create index d2 on deliveries (batch_id, priority, next_attempt_at) where state in ('queued','deferred')`
  const n = 20_000
  const id = await order(db, numbered(n))
  if (process.env.BENCH_ANALYZE) await query`analyze`
  const transport = smtpTransport({ ...settingsFor(12525), connections: Number(process.env.BENCH_CONNS ?? 10) })
  const c0 = process.cpuUsage(), t0 = process.hrtime.bigint()
  await deliverDue(means(db, transport))
  const s = Number(process.hrtime.bigint() - t0) / 1e9, c = process.cpuUsage(c0)
  console.error('RATE', Math.round(n / s), 'per s; client cpu us', Math.round((c.user + c.system) / n), JSON.stringify(await countsOf(db, id)))
  const { bytes } = { bytes: Buffer.from('Subject: x\r\n\r\n' + ('y'.repeat(74) + '\r\n').repeat(95)) }
  const t1 = process.hrtime.bigint(), c1 = process.cpuUsage()
  let next = 0
  await Promise.all(numbered(transport.lanes).map(async () => { while (next < n) await transport.send({ deliveryId: 1, from: 'a@b.example', to: `p${next++}@b.example`, bytes }) }))
  const s1 = Number(process.hrtime.bigint() - t1) / 1e9, cc = process.cpuUsage(c1)
  console.error('WIRE', Math.round(n / s1), 'per s; cpu', Math.round((cc.user + cc.system) / n))
  await transport.close(); sink.kill(); await drop(); t.pass()
})
