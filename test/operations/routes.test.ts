import t from 'tap'
import { batchStates, deliveryStates } from '../../src/db/schema.ts'
import { enrollments } from '../../src/people/person.ts'
import { startApp } from '../support/app.ts'
import { layCable } from '../support/cut-database.ts'
import { invite } from '../support/people.ts'

const cable = layCable()
const { app, db, ids, work, close } = await startApp({ through: cable.through })
t.teardown(() => close().finally(cable.cut))
const ask = (url: string) => app.inject({ url, headers: { host: '10.0.0.7' } })

t.test('the metrics have every state of emails and of batches, and no personal data', async t => {
  await invite(db, ids.ben, 'one@larkfield.example', 'two@larkfield.example')
  await work()
  const answer = await ask('/metrics')
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^text\/plain/)
  for (const state of deliveryStates)
    t.match(answer.body, new RegExp(`^rollcall_deliveries\\{state="${state}"\\} \\d+$`, 'm'))
  for (const state of batchStates)
    t.match(answer.body, new RegExp(`^rollcall_batches\\{state="${state}"\\} \\d+$`, 'm'))
  t.match(answer.body, 'rollcall_deliveries{state="sent"} 2\n')
  t.notMatch(answer.body, /@|larkfield|Ada/i)
  for (const line of answer.body.trimEnd().split('\n'))
    t.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[\w-]+"\})? [\d.]+)$/)
})

t.test('the metrics show people by enrollment, a pause, waiting email, and the process', async t => {
  const metric = async (name: string) => {
    const { body } = await ask('/metrics')
    const [, value] = new RegExp(`^${name.replace(/[{}]/g, '\\$&')} ([\\d.]+)$`, 'm').exec(body) ?? []
    return value === undefined ? undefined : Number(value)
  }
  for (const state of enrollments) t.type(await metric(`rollcall_people{enrollment="${state}"}`), 'number')
  t.equal(await metric('rollcall_people{enrollment="invited"}'), 2)
  t.equal(await metric('rollcall_people{enrollment="signed-up"}'), 4)
  t.ok((await metric('process_resident_memory_bytes'))! > 10_000_000)
  t.type(await metric('process_uptime_seconds'), 'number')
  t.equal(await metric('rollcall_mail_paused'), 0)
  t.equal(await metric('rollcall_mail_overdue_seconds'), 0)
  await invite(db, ids.ben, 'three@larkfield.example')
  await db.$client`update deliveries set next_attempt_at = now() - interval '90 seconds' where state = 'queued'`
  await db.$client`insert into mail_transport (id, paused_since, reason) values (1, now(), 'ben@larkfield.example')`
  t.ok((await metric('rollcall_mail_overdue_seconds'))! >= 90)
  t.equal(await metric('rollcall_mail_paused'), 1)
  t.notMatch((await ask('/metrics')).body, /@|larkfield|Ada/i)
  await db.$client`update deliveries set next_attempt_at = now() + interval '90 seconds' where state = 'queued'`
  t.equal(await metric('rollcall_mail_overdue_seconds'), 0, 'what is not due yet does not wait')
})

t.test('R17: Rollcall is not ready while migrations are pending, and says how many', async t => {
  const [last] = await db.$client`select id, name from drizzle.__drizzle_migrations order by id desc limit 1`
  await db.$client`update drizzle.__drizzle_migrations set name = 'older' where id = ${last!.id}`
  t.match(await ask('/ready'), { statusCode: 503, body: /^migrations: 1 pending, .+\n$/ })
  await db.$client`alter schema drizzle rename to elsewhere`
  t.match(await ask('/ready'), { statusCode: 503, body: /^migrations: \d+ pending, .+\n$/ })
  await db.$client`alter schema elsewhere rename to drizzle`
  await db.$client`update drizzle.__drizzle_migrations set name = ${last!.name} where id = ${last!.id}`
  t.match(await ask('/ready'), { statusCode: 200, body: 'ok' })
})

t.test('R17: the process is alive, and ready while the database answers', async t => {
  t.match(await ask('/live'), { statusCode: 200, body: 'ok' })
  t.match(await ask('/ready'), { statusCode: 200, body: 'ok' })
})

t.test('R17: with the database down or hung it is alive but not ready, with each reason on its own line', async t => {
  cable.cut()
  t.match(await ask('/ready'), { statusCode: 503, body: /^database: .+\n$/ })
  t.match(await ask('/live'), { statusCode: 200, body: 'ok' })
  t.equal((await ask('/metrics')).statusCode, 503)
  await cable.mend()
  const back = async (): Promise<number> => ((await ask('/ready')).statusCode === 200 ? 200 : back())
  t.equal(await back(), 200)
  cable.hang()
  t.match(await ask('/ready'), { statusCode: 503, body: /^database: .+\n$/ })
  t.match(await ask('/live'), { statusCode: 200, body: 'ok' })
})
