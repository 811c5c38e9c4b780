import t, { type Test } from 'tap'
import { startApp } from '../../support/app.ts'
import { batchOf, countsOf, upload } from '../../support/batches.ts'
import { type ExpectedLine, expectedCounts, introduceCast, knownList } from '../../support/lists.ts'

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  await introduceCast(app.db, app.ids.ben)
  return { ...app, ben: await app.browser('ben') }
}

t.test(
  '20,000 lines of every kind with mixed line ends get their expected verdicts, and every count is exact',
  async t => {
    const { db, ben, work } = await start(t)
    const { text, lines } = knownList(20_000, { ends: ['\n', '\r\n', '\r'] })
    const id = await upload(ben, text, { action: 'check' })
    t.equal((await batchOf(db, id)).lines, lines.length, 'blank lines are in no total')
    await work()
    const rows = await db.$client`
    select line, text, address, verdict, first_line from recipients where batch_id = ${id} order by line`
    t.equal(rows.length, lines.length)
    const wrong = lines.flatMap((line, index) =>
      isEqual(line, rows[index]!) ? [] : [{ wanted: line, found: rows[index] }]
    )
    t.same(wrong.slice(0, 5), [])
    const counts = await countsOf(db, id)
    t.match(counts, { state: 'checked', all: lines.length, mails: {} })
    t.same(counts.lines, expectedCounts(lines))
  }
)

const isEqual = (wanted: ExpectedLine, found: Record<string, unknown>) =>
  Object.entries(wanted).every(([name, value]) => found[name] === value)
