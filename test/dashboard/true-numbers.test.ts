/** One word, one number: all pages count people and their email the same way, and correctly. */
import t from 'tap'
import { transaction } from '../../src/db/client.ts'
import { optOutToken } from '../../src/lib/secrets/token.ts'
import { compactCounts } from '../../src/people/counts-store.ts'
import { compactTeamCounts } from '../../src/teams/upkeep-store.ts'
import { addUser, type Browser, goodPassword, secretKey, startApp } from '../support/app.ts'
import { countsOf } from '../support/batches.ts'
import { readCsv } from '../support/csv.ts'
import { expire, inviteOne, linkOf, sql } from '../support/people.ts'
import { takesAll, transportThat } from '../support/transports.ts'

const smtp = { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'rollcall@larkfield.example' }
const at = (name: string) => `${name}@larkfield.example`
const batchIn = (location: unknown) => Number(/\/batches\/(\d+)/.exec(String(location))![1])
const textOf = (body: string) =>
  body
    .slice(body.indexOf('<main'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
const tilesOf = (body: string) =>
  Object.fromEntries(
    [...body.matchAll(/data-count="([\w-]+)" data-value="(\d+)"/g)].map(([, name, value]) => [name, Number(value)])
  )
const funnelOf = (body: string) =>
  Object.fromEntries(
    [...body.matchAll(/<li>\s*<span class="k">([^<]+)<\/span>\s*<span class="v[^"]*">([\d,]+)</g)].map(
      ([, name, value]) => [name, Number(value!.replace(',', ''))]
    )
  )

t.test('without a mail server no page says that anything was sent', async t => {
  const { db, ids, browser, work, close } = await startApp()
  t.teardown(close)
  const ben = await browser('ben')
  const sent = await ben.post('/invite', { email: [at('nora'), at('tom'), '', '', ''] })
  const id = batchIn(sent.headers.location)
  await work()
  const { personId, invitationId } = await linkOf(db, at('nora'))
  const pages = ['/', `/batches/${id}`, '/batches', '/people', `/people/${personId}`, '/people?delivery=sent']
  for (const url of pages) {
    const { statusCode, body } = await ben.get(url)
    t.equal(statusCode, 200, url)
    t.match(textOf(body), /outbox/i, `${url} says where they are`)
    t.notMatch(
      textOf(body),
      /\bDelivered\b|got an invitation|(?<!\bAn? |0 of 2 emails |To )\b[1-9]\d* (invitations )?sent\b/,
      url
    )
  }
  const batch = (await ben.get(`/batches/${id}`)).body
  t.match(batch, '2 invitations kept in the outbox')
  t.match(batch, 'No one received them.')
  t.match(batch, 'href="/outbox"')
  t.match(batch, '0 of 2 emails sent, 2 in the outbox')
  t.match(tilesOf(batch), { sent: 2 }, 'the state is what the requirements call it')
  t.match(funnelOf((await ben.get('/')).body), { 'Known people': 2, Invited: 2, 'Handed over': 0, Joined: 0 })
  const lines = readCsv((await ben.get(`/batches/${id}/lines.csv`)).body)
  t.match(lines[1], [...Array(7).fill(/.*/), 'sent', 'Kept in the outbox', ''], 'and was delivered to no one')
  t.match((await ben.submit(`/invitations/${invitationId}/deliveries`)).body, 'Email is off: the invitation is kept')
  await work()
  await countsOf(db, id)
  t.match(ids, { ben: Number })
})

t.test('once a mail server is configured, kept emails are sent once', async t => {
  const { db, browser, work, close } = await startApp({ environment: smtp })
  t.teardown(close)
  const ben = await browser('ben')
  const id = batchIn((await ben.post('/invite', { email: [at('nora'), at('tom'), at('uma')] })).headers.location)
  await work()
  const page = (await ben.get(`/batches/${id}`)).body
  t.match(page, '3 emails are still in the outbox; no one received them')
  t.match(page, 'Send 3 kept emails')
  t.match(funnelOf((await ben.get('/')).body), { Invited: 3, 'Handed over': 0 })
  t.equal((await ben.post(`/batches/${id}/deliveries`)).statusCode, 303)
  const transport = takesAll()
  await work(transport)
  t.same(transport.recipients.toSorted(), [at('nora'), at('tom'), at('uma')])
  t.match(await countsOf(db, id), { state: 'done', mails: { sent: 3 } })
  const after = (await ben.get(`/batches/${id}`)).body
  t.match(after, '3 invitations sent')
  t.notMatch(after, /outbox|kept/)
  t.match(funnelOf((await ben.get('/')).body), { Invited: 3, 'Handed over': 3 })
  t.equal((await ben.post(`/batches/${id}/deliveries`)).statusCode, 409)
})

t.test('dashboard, People, chart and teams agree about every kind of person', async t => {
  const { db, ids, browser, work, close } = await startApp({ environment: smtp })
  t.teardown(close)
  const ben = await browser('ben')
  await db.execute(sql`insert into people (email, address_key) values (${at('known')}, ${at('known')})`)
  await addUser(db, 'gone-user', 'member', { isDeactivated: true })
  const invited = ['open', 'late', 'revoked', 'joined', 'left', 'refused', 'kept', 'quiet', 'again']
  const links = new Map<string, Awaited<ReturnType<typeof inviteOne>>>()
  for (const name of invited) links.set(name, await inviteOne(db, ids.ben, at(name)))
  await work(
    transportThat(mail => {
      if (mail.to === at('refused')) return { is: 'recipient-failed', reply: '550 5.1.1 no such user', suppress: true }
      return mail.to === at('kept') ? { is: 'kept', reply: 'Kept in the outbox' } : undefined
    })
  )
  await expire(db, links.get('late')!.personId)
  await ben.post(`/invitations/${links.get('revoked')!.invitationId}/revocation`)
  for (const name of ['joined', 'left'])
    await (await browser()).post(`/join/${links.get(name)!.token}`, { name, password: goodPassword })
  await ben.post(`/people/${links.get('left')!.personId}/deactivation`)
  await ben.post(`/unsubscribe/${optOutToken(secretKey, links.get('quiet')!.personId)}`)
  await expire(db, links.get('again')!.personId)
  await ben.post(`/people/${links.get('again')!.personId}/invitations`)
  const states = { 'not-invited': 1, invited: 5, expired: 1, revoked: 1, 'signed-up': 5, deactivated: 2 }
  const check = async () => {
    const home = (await ben.get('/')).body
    // of the 9 invited: one refused, one kept; again's second email is queued, the first was handed over
    t.same(funnelOf(home), { 'Known people': 10, Invited: 9, 'Handed over': 7, Joined: 2 })
    t.match(tilesOf(home), states)
    const people = (await ben.get('/people')).body
    t.match(tilesOf(people), states)
    t.match(people, '15 people')
    t.match(home, '9 invited and 2 joined by now', 'the chart ends at the funnel’s numbers')
    t.match(home, '20% of 10 people joined')
  }
  await check()
  await transaction(db, compactCounts)
  await transaction(db, compactTeamCounts)
  await check()
  t.equal(
    Object.values(states).reduce((sum, n) => sum + n, 0),
    15
  )
  let all = 0
  for (const status of Object.keys(states)) all += (await csvOf(ben, `status=${status}`)).length
  t.equal(all, 15, 'and so do the lists')
})

const csvOf = async (browser: Browser, query: string) =>
  readCsv((await browser.get(`/people.csv?${query}`)).body.replace(/^\uFEFF/, '')).slice(1)

t.test('E23: people who opted out or bounced after an email was sent are listed and counted that way', async t => {
  const { db, ids, browser, work, close } = await startApp({ environment: smtp })
  t.teardown(close)
  const ben = await browser('ben')
  const quiet = await inviteOne(db, ids.ben, at('quiet'))
  await inviteOne(db, ids.ben, at('loud'))
  await inviteOne(db, ids.ben, at('back'))
  await work(takesAll())
  const [team] = await db.execute<{ id: number }>(
    sql`insert into teams (name, source, created_by) values ('Crew', 'hand', ${ids.ben}) returning id`
  )
  await ben.post(`/teams/${team!.id}/members`, { email: at('quiet') })
  t.equal((await ben.post(`/unsubscribe/${optOutToken(secretKey, quiet.personId)}`)).statusCode, 200)
  await db.execute(
    sql`insert into suppressions (address_key, cause, server_reply) values (${at('back')}, 'bounced', '550')`
  )
  const row = (body: string, name: string) =>
    new RegExp(
      `<tr data-enrollment="(\\w+)" data-delivery="(\\w*)">(?:(?!</tr>)[\\s\\S])*${name}@[\\s\\S]*?</tr>`
    ).exec(body)!
  const list = (await ben.get('/people')).body
  t.match(row(list, 'quiet').slice(1, 3), ['invited', 'suppressed'])
  t.match(textOf(`<main${row(list, 'quiet')[0]}`), /Opted out Gets no email/)
  t.match(row(list, 'back').slice(1, 3), ['invited', 'bounced'])
  t.match(textOf(`<main${row(list, 'back')[0]}`), /Bounced Gets no email: address bounced/)
  t.match(row(list, 'loud').slice(1, 3), ['invited', 'sent'])
  t.match(await csvOf(ben, 'delivery=suppressed'), [
    ['', at('quiet'), 'member', 'invited', 'suppressed', /./, '', 'opted-out']
  ])
  t.match(await csvOf(ben, 'delivery=bounced'), [['', at('back'), 'member', 'invited', 'bounced', /./, '', 'bounced']])
  t.match(await csvOf(ben, 'delivery=sent'), [['', at('loud')]])
  t.match((await ben.get(`/people?delivery=suppressed`)).body, at('quiet'))
  const home = (await ben.get('/')).body
  t.match(home, /data-trouble="suppressed"[\s\S]*1 invitation can’t be emailed because of an opt-out/)
  t.match(home, /data-trouble="bounced"/)
  t.match(textOf((await ben.get(`/teams/${team!.id}`)).body), 'Gets no email')
  t.match(readCsv((await ben.get(`/teams/${team!.id}/members.csv`)).body)[1], [
    '',
    at('quiet'),
    'invited',
    'suppressed'
  ])
  t.equal((await ben.post(`/people/${quiet.personId}/mail-permission`)).statusCode, 303)
  t.same((await csvOf(ben, 'delivery=suppressed')).length, 0, 'lifted, it is as before')
  t.equal((await csvOf(ben, 'delivery=sent')).length, 2)
  const batch = batchIn((await ben.post('/invite', { email: at('another') })).headers.location)
  await countsOf(db, batch)
})

t.test('every person with a suppressed address is shown as such', async t => {
  const { db, close } = await startApp()
  t.teardown(close)
  await db.execute(sql`insert into suppressions (address_key, cause) values (${at('old')}, 'opted-out')`)
  const [person] = await db.execute<{ id: number; suppression: string | null }>(
    sql`insert into people (email, address_key) values (${at('old')}, ${at('old')}) returning id`
  )
  const read = async () =>
    (await db.execute<{ delivery: string | null }>(sql`select delivery from people where id = ${person!.id}`))[0]!
      .delivery
  t.equal(await read(), 'suppressed', 'a new person')
  await db.execute(sql`update people set email = ${at('new')}, address_key = ${at('new')} where id = ${person!.id}`)
  t.equal(await read(), null, 'with another address')
  await db.execute(sql`update suppressions set address_key = ${at('new')}, cause = 'bounced'`)
  t.equal(await read(), 'bounced')
  await db.execute(sql`delete from suppressions`)
  t.equal(await read(), null)
})
