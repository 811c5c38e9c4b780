import t from 'tap'
import { startApp } from '../../support/app.ts'
import { countsOf, linesOf, shownCounts, upload } from '../../support/batches.ts'
import { introduceCast, knownList } from '../../support/lists.ts'
import { takesAll, transportThat } from '../../support/transports.ts'
import { judgeAll, judgeThrough } from '../../support/workers.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
await introduceCast(db, ids.ben)
await work(takesAll())

const verdicts = ['malformed', 'foreign', 'duplicate', 'active', 'deactivated', 'suppressed', 'pending', 'invite']
/** The line numbers in the table of problems, and in the table of all lines. */
const problemsIn = (body: string) => [...body.matchAll(/name="address-(\d+)"/g)].map(([, line]) => Number(line))
const linesIn = (body: string) =>
  [...body.matchAll(/<tr data-verdict="[\w-]+" data-delivery="[\w-]*">\s*<td[^>]*>(\d+)/g)].map(([, line]) =>
    Number(line)
  )
const nextOf = (body: string, name: string) => {
  const [, href] = new RegExp(`href="([^"]*[?;&]${name}=\\d+)" rel="next"`).exec(body) ?? []
  return href?.replaceAll('&amp;', '&')
}

t.test('while a list is checked, the page shows the progress and the counts of the lines judged', async t => {
  const { text, lines } = knownList(12_000)
  const id = await upload(ben, text, { action: 'check' })
  const fresh = (await ben.get(`/batches/${id}`)).body
  t.match(fresh, `0 of ${lines.length.toLocaleString('en')} lines checked`)
  await judgeThrough(db, 6_000)
  const { body } = await ben.get(`/batches/${id}`)
  t.match(body, 'data-batch-state="checking"')
  t.match(body, `5,000 of ${lines.length.toLocaleString('en')} lines checked`)
  t.match(body, `<progress value="5000" max="${lines.length}"`)
  const shown = shownCounts(body)
  t.equal(
    verdicts.reduce((sum, name) => sum + shown[name]![0]!, 0),
    5_000
  )
  t.match(body, `data-hx-get="/batches/${id}?refresh=checking"`)
  await judgeAll(db)
  const part = await ben.get(`/batches/${id}?refresh=checking`, { 'hx-request': 'true', 'hx-request-type': 'partial' })
  t.equal(part.headers['hx-refresh'], 'true', 'the page around the figures changes with the state')
  const done = shownCounts((await ben.get(`/batches/${id}`)).body)
  const counts = await countsOf(db, id)
  for (const name of verdicts) t.equal(done[name]![0], counts.lines[name] ?? 0, name)
  t.equal(
    verdicts.reduce((sum, name) => sum + done[name]![0]!, 0),
    lines.length
  )
})

t.test('problem lines come first, in file order, page by page, each with text, reason and correction', async t => {
  const { text, lines } = knownList(900, { seed: 9 })
  const id = await upload(ben, text, { action: 'check' })
  await work(takesAll())
  const first = (await ben.get(`/batches/${id}`)).body
  t.ok(first.indexOf('Needs a second look') < first.indexOf('All addresses'))
  const wanted = lines
    .filter(line => line.verdict === 'malformed' || line.verdict === 'foreign')
    .map(({ line }) => line)
  const seen: number[] = []
  for (let next: string | undefined = `/batches/${id}`; next; ) {
    const page: string = (await ben.get(next)).body
    seen.push(...problemsIn(page))
    next = nextOf(page, 'problems')
  }
  t.same(seen, wanted)
  const all: number[] = []
  for (let next: string | undefined = `/batches/${id}`; next; ) {
    const page: string = (await ben.get(next)).body
    all.push(...linesIn(page))
    next = nextOf(page, 'after')
  }
  t.same(
    all,
    lines.map(({ line }) => line)
  )
  t.notMatch(
    (await ben.get(`/batches/${id}?verdict=invite`)).body,
    'Needs a second look',
    'a filter for others hides them'
  )
})

t.test('lines can be filtered by the state of their email, together with search, verdict and pages', async t => {
  const addresses = Array.from({ length: 130 }, (_, index) => `mail${index}@larkfield.example`)
  const id = await upload(ben, [...addresses, 'nobody'])
  const fails = (to: string) => /mail\d*[13579]@/.test(to)
  await work(
    transportThat(({ to }) =>
      fails(to) ? { is: 'recipient-failed', reply: '550 5.2.2 <b>full</b>', suppress: false } : undefined
    )
  )
  const odd = addresses.flatMap((address, index) => (fails(address) ? [index + 1] : []))
  const found: number[] = []
  for (let next: string | undefined = `/batches/${id}?delivery=failed`; next; ) {
    const page: string = (await ben.get(next)).body
    t.notMatch(page, '<b>full</b>')
    found.push(...linesIn(page))
    next = nextOf(page, 'after')
  }
  t.same(found, odd)
  t.same(linesIn((await ben.get(`/batches/${id}?delivery=failed&q=MAIL12`)).body), [122, 124, 126, 128, 130])
  t.same(
    linesIn((await ben.get(`/batches/${id}?delivery=sent&q=mail12&verdict=invite`)).body),
    [13, 121, 123, 125, 127, 129]
  )
  const none = (await ben.get(`/batches/${id}?delivery=bounced`)).body
  t.same(linesIn(none), [])
  t.match(none, 'No addresses match.')
  const counts = shownCounts((await ben.get(`/batches/${id}`)).body)
  t.same([counts.failed, counts.sent], [[65], [65]])
})

t.test('an unknown id and meaningless filters', async t => {
  for (const path of [
    '/batches/99999',
    '/batches/0',
    '/batches/-1',
    '/batches/x',
    '/batches/1x',
    '/batches/9999999999999999'
  ]) {
    t.equal((await ben.get(path)).statusCode, 404, path)
  }
  const id = await upload(ben, 'kim@larkfield.example')
  await work(takesAll())
  for (const query of [
    'verdict=x',
    'delivery=x',
    'after=x',
    'after=-1',
    'after=99999999999',
    'problems=x',
    'q=',
    'q=%25',
    'refresh=x',
    'other=1'
  ]) {
    t.equal((await ben.get(`/batches/${id}?${query}`)).statusCode, 200, query)
  }
  for (const query of ['q=a&q=b', 'q=%00', 'q=%ff'])
    t.equal((await ben.get(`/batches/${id}?${query}`)).statusCode, 400, query)
  t.equal((await linesOf(db, id)).length, 1)
})
