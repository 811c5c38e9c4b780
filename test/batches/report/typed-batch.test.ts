import t from 'tap'
import { deactivate } from '../../../src/invitations/deactivate.ts'
import { revoke } from '../../../src/invitations/revoke.ts'
import { startApp } from '../../support/app.ts'
import { invite, inviteOne, one, sql } from '../../support/people.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

/** The figures that a page shows, by name. */
const figures = (body: string) =>
  Object.fromEntries(
    [...body.matchAll(/data-count="([\w-]+)" data-value="(\d+)"/g)].map(([, name, value]) => [name, Number(value)])
  )
const rowsOf = (body: string) => [
  ...body.matchAll(/<tr data-verdict="([\w-]+)" data-delivery="([\w-]*)">([\s\S]*?)<\/tr>/g)
]
const deliveries = [
  'queued',
  'sending',
  'held',
  'sent',
  'deferred',
  'failed',
  'unknown',
  'bounced',
  'suppressed',
  'cancelled'
]
const verdicts = ['malformed', 'foreign', 'duplicate', 'active', 'deactivated', 'suppressed', 'pending', 'invite']

/** A batch with every verdict that typed addresses can have, judged all at once like those of a file. */
async function mixedBatch(): Promise<number> {
  await inviteOne(db, ids.ben, 'pending@larkfield.example')
  await deactivate(db, ids.ada, ids.cleo)
  await db.execute(sql`insert into suppressions (address_key, cause, server_reply)
    values ('bounced@larkfield.example', 'bounced', '550 no such user')`)
  return invite(
    db,
    ids.ben,
    ...['new@larkfield.example', 'NEW@larkfield.example', 'dan@larkfield.example', 'cleo@larkfield.example'],
    ...[
      'bounced@larkfield.example',
      'pending@larkfield.example',
      'nobody',
      'kim@larkfeild.example',
      'o_o%@larkfield.example'
    ]
  )
}
const id = await mixedBatch()
const url = `/batches/${id}`

t.test('the page says what happened to each address', async t => {
  const page = await ben.get(url)
  t.match(page.body, /<main[^>]* data-batch-state="sending"/)
  const words: Record<string, RegExp> = {
    malformed: /Invalid format/,
    foreign: /Wrong domain/,
    duplicate: /Same address as line 1/,
    active: /Already signed up/,
    deactivated: /reactivate this person first/,
    suppressed: /Bounced or opted out/,
    pending: /Already has an open invitation[\s\S]*Resend/,
    invite: /To invite|Queued/
  }
  const rows = rowsOf((await ben.get(url)).body)
  for (const [verdict, pattern] of Object.entries(words)) {
    const row = rows.find(([, name]) => name === verdict)
    t.match(row?.[3], pattern, verdict)
  }
})

t.test('every verdict and every delivery state is counted, in plain digits', async t => {
  const shown = figures((await ben.get(url)).body)
  for (const name of [...verdicts, ...deliveries]) t.type(shown[name], 'number', name)
  t.match(shown, { malformed: 1, foreign: 1, duplicate: 1, active: 1, deactivated: 1, pending: 1, invite: 2 })
  t.match(shown, { queued: 2, sent: 0 })
})

t.test('lines can be filtered by verdict and searched by text, literally and in any case', async t => {
  const texts = async (query: string) => rowsOf((await ben.get(`${url}?${query}`)).body).map(([, verdict]) => verdict)
  for (const verdict of verdicts) t.same(new Set(await texts(`verdict=${verdict}`)), new Set([verdict]), verdict)
  t.same((await texts('verdict=nonsense')).length, 9, 'a filter that is none shows all')
  t.same(await texts('q=NEW'), ['invite', 'duplicate'])
  t.same(await texts('q=new&verdict=duplicate'), ['duplicate'])
  t.same(await texts('q=_o'), ['invite'], '_ is itself')
  t.same(await texts('q=%25%40'), ['invite'], '% is itself')
  t.equal((await texts('q=n')).length, 9, 'one character is no search')
  t.same(await texts('q=nothing-like-it'), [])
  t.match((await ben.get(`${url}?q=%3Cb%3Ex`)).body, 'value="&lt;b&gt;x"')
})

t.test('once the emails are sent, the page says so and stops refreshing itself', async t => {
  const before = await ben.get(url)
  t.match(before.body, `data-hx-get="${url}`)
  t.match(before.body, '<noscript><meta http-equiv="refresh"')
  await work()
  const page = await ben.get(url)
  t.match(page.body, /<main[^>]* data-batch-state="done"/)
  t.match(figures(page.body), { sent: 2, queued: 0 })
  t.match(page.body, '2 invitations kept in the outbox')
  t.notMatch(page.body, /data-hx-trigger="every|http-equiv="refresh"/)
  t.same(rowsOf(page.body).filter(([, , delivery]) => delivery === 'sent').length, 2)
})

t.test('the page that refreshes itself needs only a part of it, with the right cache headers', async t => {
  const part = await ben.get(`${url}?refresh=done`, { 'hx-request': 'true', 'hx-request-type': 'partial' })
  t.notMatch(part.body, '<html')
  t.match(part.body, 'data-count="sent"')
  t.match(part.headers.vary, /HX-Request/)
  t.match((await ben.get(url, { 'hx-request': 'true', 'hx-history-restore-request': 'true' })).body, '<html')
})

t.test('an invitation that was revoked in the meantime is not offered for resending', async t => {
  const { invitation } = await one<{ invitation: number }>(
    db,
    sql`select invitation_id as invitation from people where address_key = 'pending@larkfield.example'`
  )
  const action = `action="/invitations/${invitation}/deliveries"`
  t.match((await ben.get(url)).body, action)
  await revoke(db, ids.ben, invitation)
  t.notMatch((await ben.get(url)).body, action)
})

t.test('an auditor sees the page without actions', async t => {
  await db.execute(sql`update people set deactivated_at = null where id = ${ids.cleo}`)
  const page = await (await browser('cleo')).get(url)
  t.equal(page.statusCode, 200)
  t.notMatch(page.body, /Resend|Correct and invite|name="line"|action="\/(invitations|people)/)
})

t.test('the list of batches shows the newest first, each with its state', async t => {
  const page = (await ben.get('/batches')).body
  const hrefs = [...page.matchAll(/href="\/batches\/(\d+)"/g)].map(([, each]) => Number(each))
  t.same(
    hrefs,
    [...hrefs].sort((one, other) => other - one)
  )
  t.match(page, /<tr data-batch-state="done">/)
  t.match(page, 'Ben')
})

t.test('the list of batches can be read page by page without repeats', async t => {
  await db.execute(sql`insert into batches (source, state, action, created_by)
    select 'typed', 'done', 'send', ${ids.ben} from generate_series(1, 120)`)
  const seen: string[] = []
  for (let next: string | undefined = '/batches'; next; ) {
    const page: string = (await ben.get(next)).body
    seen.push(...[...page.matchAll(/row-link" href="(\/batches\/\d+)"/g)].map(([, href]) => href!))
    next = /href="(\/batches\?before=\d+)" rel="next"/.exec(page)?.[1]
  }
  t.equal(seen.length, 122)
  t.equal(new Set(seen).size, 122)
})
