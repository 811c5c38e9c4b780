import t from 'tap'
import { batchStates, deliveryStates } from '../../src/db/schema.ts'
import { startApp } from '../support/app.ts'
import { layCable } from '../support/cut-database.ts'
import { invite } from '../support/people.ts'

const cable = layCable()
const { app, db, ids, work, close } = await startApp({ through: cable.through })
t.teardown(() => close().finally(cable.cut))
const ask = (url: string) => app.inject({ url, headers: { host: '10.0.0.7' } })

t.test('the metrics name every state of mails and of batches, and nobody', async t => {
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

t.test('R17: the process lives, and is ready while the database answers', async t => {
  t.match(await ask('/live'), { statusCode: 200, body: 'ok' })
  t.match(await ask('/ready'), { statusCode: 200, body: 'ok' })
})

t.test(
  'R17: while the database is gone or hangs it is alive, not ready, and names the cause on a line of its own',
  async t => {
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
  }
)
