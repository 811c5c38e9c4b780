import t, { type Test } from 'tap'
import { startApp } from '../support/app.ts'
import { upload } from '../support/batches.ts'
import { transportThat } from '../support/transports.ts'

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  return { ...app, ben: await app.browser('ben'), cleo: await app.browser('cleo') }
}

/** The list of problems on the dashboard. */
const calloutsIn = (body: string) =>
  [...body.matchAll(/<div class="callout (?:bad|warn)"[\s\S]*?<\/div>\s*<a [\s\S]*?<\/a>\s*<\/div>/g)].map(
    ([all]) => all
  )

t.test('without problems the list is empty', async t => {
  const { ben, work } = await start(t)
  await upload(ben, 'kim@larkfield.example')
  await work()
  t.same(calloutsIn((await ben.get('/')).body), [])
})

t.test('a stopped batch is listed with its reason and a link to its page until it is resumed', async t => {
  const { ben, cleo, work } = await start(t)
  const lines = Array.from({ length: 40 }, (_, index) => `person${index}@larkfield.example`)
  const id = await upload(ben, lines, { name: '<b>people.txt' })
  await work(transportThat(() => ({ is: 'policy', reply: '554 5.7.1 <relaying> denied' })))
  const [stopped] = calloutsIn((await cleo.get('/')).body)
  t.match(stopped, /Stopped: \d+ invitations held back/)
  t.match(stopped, 'refused 10 emails in a row: 554 5.7.1 &lt;relaying&gt; denied')
  t.match(stopped, '&lt;b&gt;people.txt')
  t.match(stopped, `href="/batches/${id}"`)
  await ben.post(`/batches/${id}/cancellation`)
  t.notMatch((await ben.get('/')).body, `href="/batches/${id}">Open the batch`)
})

t.test('an interrupted upload is listed for a week', async t => {
  const { db, ids, ben } = await start(t)
  await db.$client`
    insert into batches (source, state, action, created_by, file_name, created_at)
    select 'file', 'incomplete', 'check', ${ids.ben}, 'cut' || d || '.txt', now() - make_interval(days => d) from generate_series(6, 8) d`
  const found = calloutsIn((await ben.get('/')).body)
  t.equal(found.length, 1)
  t.match(found[0], 'The upload was interrupted: nothing was sent')
  t.match(found[0], 'cut6.txt')
})

t.test('only the newest five are listed, with a link to the others', async t => {
  const { db, ids, ben } = await start(t)
  await db.$client`
    insert into batches (source, state, action, created_by, file_name)
    select 'file', 'stopped', 'send', ${ids.ben}, 'list' || n || '.txt' from generate_series(1, 7) n`
  const { body } = await ben.get('/')
  const names = [...body.matchAll(/list(\d)\.txt/g)].map(([, number]) => Number(number))
  t.same(names, [7, 6, 5, 4, 3])
  t.match(body, '<a href="/batches">More batches</a>')
})

t.test('undelivered invitations are counted, and lead to exactly those people', async t => {
  const { ben, cleo, work } = await start(t)
  const id = await upload(
    ben,
    ['a', 'b', 'c', 'd'].map(name => `${name}@larkfield.example`)
  )
  await work(
    transportThat(({ to }) =>
      to.startsWith('a') ? undefined : { is: 'recipient-failed', reply: '552 full', suppress: false }
    )
  )
  const [failed] = calloutsIn((await cleo.get('/')).body)
  t.match(failed, '3 invitations could not be delivered.')
  const href = /class="btn small" href="([^"]+)"/.exec(failed!)![1]!.replaceAll('&amp;', '&')
  const rows = (await cleo.get(href)).body.match(/data-delivery="failed"/g)
  t.equal(rows!.length, 3)
  await ben.post(`/batches/${id}/deliveries`)
  await work()
  t.same(calloutsIn((await ben.get('/')).body), [])
})
