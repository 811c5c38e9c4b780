import t, { type Test } from 'tap'
import { describeEvent, eventKinds } from '../../src/audit/event.ts'
import { startApp } from '../support/app.ts'
import { readCsv } from '../support/csv.ts'

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  const { db, ids } = app
  const add = (
    kind: string,
    { at = 'now', actor = ids.ben as number | null, details = {} as object } = {}
  ) => db.$client`
    insert into events (kind, at, actor_id, person_id, batch_id, details)
    values (${kind}, ${at}::text::timestamptz, ${actor}, ${ids.dan}, 7, ${db.$client.json(details as never)})`
  return { ...app, add, ben: await app.browser('ben'), cleo: await app.browser('cleo') }
}

const kinds = Object.keys(eventKinds)
const details = {
  ...{ lines: 3, invite: 2, sessions: 1, mails: 4, role: 'admin', file: 'people.txt', people: 2 },
  ...{ group: 'Engineering', team: 'Platform', before: 'Infrastructure', reason: 'the directory did not answer' },
  ...{ name: 'Ada Byrne', trouble: 'two-entries', entry: 'uid=dan,ou=people' }
}
const nothing = {
  ...{ actorId: null, actorEmail: null, personId: null, personName: null, personEmail: null, batchId: null }
}
const sentencesIn = (body: string) =>
  [...body.matchAll(/<li>\s*<span class="avatar[\s\S]*?<p>([\s\S]*?)<time/g)].map(([, text]) =>
    text!
      .replace(/<[^>]*>/g, '')
      .replace(/\s+/g, ' ')
      .trim()
  )
const nextOf = (body: string) => /href="([^"]+)" rel="next"/.exec(body)?.[1]?.replaceAll('&amp;', '&')
const table = (text: string) => {
  t.equal(text[0], '\ufeff')
  const [header, ...rows] = readCsv(text.slice(1))
  t.equal(header!.join(','), 'at,actor,event,person,batch,text,details,actor_address,actor_id,person_address,person_id')
  return rows.map(row => Object.fromEntries(row.map((cell, index) => [header![index]!, cell])))
}

t.test('every kind of event reads as a sentence, on the page and in the CSV', async t => {
  const { add, cleo } = await start(t)
  for (const kind of kinds) await add(kind, { details })
  for (const kind of kinds) {
    const [row] = table((await cleo.get(`/activity.csv?kind=${kind}`)).body).filter(each => each.batch === '7')
    t.match(row!.text, /^[A-Za-z].* .*[\w”]$|^signed (in|up)$/, kind)
    t.notMatch(row!.text, /undefined|null|NaN|\b(a|the) person\b/, kind)
    t.not(row!.text, kind)
    const page = (await cleo.get(`/activity?kind=${kind}`)).body
    t.ok(sentencesIn(page).includes(`Ben ${row!.text}.`), `Ben ${row!.text}.`)
    t.match(page, `<option value="${kind}" selected>`)
    t.equal(new Set(sentencesIn(page).map(text => text.replace(/^\w+ /, ''))).size, 1, 'and can be looked for alone')
  }
})

t.test('sentences use singular and plural correctly', t => {
  const says = (kind: string, details: Record<string, number>) =>
    describeEvent({ ...nothing, kind, at: new Date(), actorName: 'Ben', details }).text
  t.equal(says('invitations-sent', { invite: 1 }), 'invited 1 person')
  t.equal(says('invitations-sent', { invite: 12_345 }), 'invited 12,345 people')
  t.equal(says('addresses-checked', { lines: 1 }), 'checked 1 address')
  t.equal(says('upload-cut', { lines: 0 }), 'uploaded a list that was interrupted after 0 lines: nothing was sent')
  t.equal(says('mails-retried', { mails: 2 }), 'retried 2 emails')
  t.end()
})

t.test('the trail can be filtered by person, kind, and days in the reader’s time zone', async t => {
  const { db, ids, add, cleo } = await start(t)
  // S25: only the owner of the table can turn its trigger off
  await db.$client.unsafe('alter table events disable trigger events_kept; delete from events')
  await db.$client`update people set time_zone = 'Pacific/Auckland' where id = ${ids.cleo}`
  await add('batch-paused', { at: '2026-03-09T10:59:59Z' }) // the 9th in Auckland, 23:59:59
  await add('batch-paused', { at: '2026-03-09T11:00:00Z' }) // the 10th, 00:00
  await add('batch-cancelled', { at: '2026-03-10T10:59:59Z', actor: ids.ada })
  await add('opted-out', { at: '2026-03-10T11:00:00Z', actor: null })
  const found = async (query: string) =>
    table((await cleo.get(`/activity.csv?${query}`)).body).map(row => row.at!.slice(5, 19))
  const [first, second, third, fourth] = ['03-09T10:59:59', '03-09T11:00:00', '03-10T10:59:59', '03-10T11:00:00']
  t.same(await found(''), [fourth, third, second, first], 'the newest first')
  t.same(await found('from=2026-03-10&to=2026-03-10'), [third, second])
  t.same(await found('from=2026-03-11'), [fourth])
  t.same(await found('to=2026-03-09'), [first])
  t.same(await found(`actor=${ids.ada}`), [third])
  t.same(await found(`actor=${ids.ben}&kind=batch-paused&from=2026-03-10`), [second])
  t.same(await found('kind=opted-out'), [fourth])
  t.same(await found(`actor=${ids.ada}&kind=opted-out`), [])
  const page = (await cleo.get(`/activity?actor=${ids.ada}&kind=opted-out`)).body
  t.match(page, 'Nothing matches.')
  t.match(page, `<option value="${ids.ada}" selected>Ada</option>`)
  const days = (await cleo.get('/activity?from=2026-03-10&to=2026-03-10')).body
  t.match(days, 'id="from" name="from" type="date" value="2026-03-10"')
  t.equal(sentencesIn(days).length, 2)
  t.match(days, 'href="/activity.csv?from=2026-03-10&amp;to=2026-03-10"', 'the table has the page’s filters')
})

t.test('meaningless filters are ignored', async t => {
  const { add, cleo } = await start(t)
  await add('batch-paused')
  const all = table((await cleo.get('/activity.csv')).body).length
  for (const query of [
    'kind=x',
    'kind=constructor',
    'actor=x',
    'actor=0',
    'actor=99999999999999999999',
    'from=x',
    'to=2026-02-30',
    'from=0000-01-01',
    'to=10000-01-01',
    'before=x',
    'other=1',
    'from=',
    'kind='
  ]) {
    const answer = await cleo.get(`/activity.csv?${query}`)
    t.equal(answer.statusCode, 200, query)
    t.equal(table(answer.body).length, all, query)
    t.equal((await cleo.get(`/activity?${query}`)).statusCode, 200, query)
  }
  for (const query of ['from=0001-01-01', 'to=9999-12-31']) {
    t.equal((await cleo.get(`/activity.csv?${query}`)).statusCode, 200)
  }
  for (const query of ['kind=a&kind=b', 'actor=%00']) t.equal((await cleo.get(`/activity?${query}`)).statusCode, 400)
})

t.test('the trail can be read page by page with filters, without repeats or gaps', async t => {
  const { add, ben } = await start(t)
  for (let index = 0; index < 123; index += 1) {
    await add(index % 3 ? 'mails-retried' : 'batch-paused', { details: { mails: index + 10 } })
  }
  const seen: string[] = []
  let pages = 0
  for (let next: string | undefined = '/activity?kind=mails-retried'; next; pages += 1) {
    const page: string = (await ben.get(next)).body
    seen.push(...sentencesIn(page))
    if (pages > 0) t.match(page, 'href="/activity?kind=mails-retried"', 'back to the first page')
    next = nextOf(page)
  }
  t.equal(pages, 2)
  const wanted = Array.from({ length: 123 }, (_, index) => index)
    .filter(index => index % 3)
    .reverse()
  t.same(
    seen,
    wanted.map(index => `Ben retried ${index + 10} emails.`)
  )
})

t.test('S10, S16: names and details are treated as text, in the CSV and on the page', async t => {
  const { db, ids, add, ben } = await start(t)
  await db.$client`update people set name = '=HYPERLINK("http://evil.example"),<img src=x>' where id = ${ids.dan}`
  await db.$client`update people set name = '@ben' where id = ${ids.ben}`
  await add('person-deactivated', { details: { note: '=1+1', file: '"quoted",\n<b>' } })
  const [row] = table((await ben.get('/activity.csv?kind=person-deactivated')).body)
  t.match(row, { actor: "'@ben", person: `'=HYPERLINK("http://evil.example"),<img src=x>`, batch: '7' })
  t.same(JSON.parse(row!.details!), { note: '=1+1', file: '"quoted",\n<b>' })
  const { body } = await ben.get('/activity')
  t.notMatch(body, /<img src=x>|<b>"?\s*<\/li>/)
  t.match(body, '&lt;img src=x&gt;')
  t.match(body, `href="/people/${ids.dan}"`)
  t.match(body, 'href="/batches/7"')
})

t.test('a long trail is streamed completely', async t => {
  const { db, ids, ben } = await start(t)
  await db.$client`
    insert into events (kind, actor_id, details) select 'mails-retried', ${ids.ada}, jsonb_build_object('mails', n) from generate_series(1, 4500) n`
  const rows = table((await ben.get('/activity.csv?kind=mails-retried')).body)
  t.equal(rows.length, 4_500)
  t.equal(rows[0]!.text, 'retried 4,500 emails')
  t.equal(rows.at(-1)!.text, 'retried 1 email')
})

t.test('auditors can read it, members and strangers cannot', async t => {
  const { browser, cleo } = await start(t)
  for (const path of ['/activity', '/activity.csv']) {
    t.equal((await cleo.get(path)).statusCode, 200)
    t.equal((await (await browser('dan')).get(path)).statusCode, 403)
    t.match((await (await browser()).get(path)).headers.location, '/sign-in?next=')
  }
  t.equal((await cleo.get('/activity.csv')).headers['content-disposition'], 'attachment; filename="activity.csv"')
})

t.test('a right-to-left name does not affect the text around it', async t => {
  const { add, cleo } = await start(t)
  await add('team-created', { details: { team: 'فريق ٢' } })
  await add('team-created', { details: { team: 'Platform' } })
  const { body } = await cleo.get('/activity')
  t.match(body, '<bdi>“فريق ٢”</bdi>')
  t.match(body, /“Platform”\.\s+</)
})
