import path from 'node:path'
import t from 'tap'
import { readKept } from '../../src/mail/outbox.ts'
import { goodPassword, startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'
import { setUpFactor, signIn } from '../support/second-factor.ts'

const rollcall = await startApp()
const { app, db, ids, browser, work, dataDir, logged, close } = rollcall
t.teardown(close)

const newPassword = 'nine-herons-cross-slowly'
const ask = async (email: string, visitor?: Awaited<ReturnType<typeof browser>>) => {
  await db.execute(sql`delete from sign_in_failures where key like 'forgotten network%'`)
  return (visitor ?? (await browser())).post('/forgotten', { email })
}
const later = (minutes: number) =>
  db.execute(sql`update deliveries set queued_at = queued_at - make_interval(mins => ${minutes})`)
const newest = async () => {
  await work()
  const { id, kind } = await one<{ id: number; kind: string }>(
    db,
    sql`select id, kind from deliveries order by id desc limit 1`
  )
  return { id, kind, mail: await readKept(path.join(dataDir, 'outbox'), id) }
}
const linkFor = async (name: string) => {
  await later(15)
  await ask(`${name}@larkfield.example`)
  const { mail } = await newest()
  return /\/forgotten\/[\w-]{43}/.exec(mail?.text ?? '')?.[0] ?? ''
}

t.test('S20: the answer is the same for known, unknown and deactivated people', async t => {
  const answers = []
  for (const name of ['ada', 'nobody', 'dan', 'x'.repeat(60)]) {
    const visitor = await browser()
    const answer = await ask(`${name}@larkfield.example`, visitor)
    const page = await visitor.get(answer.headers.location ?? '')
    answers.push({
      ...{ status: answer.statusCode, location: answer.headers.location, length: page.body.length, page: page.body },
      headers: Object.keys(answer.headers).sort()
    })
  }
  for (const each of answers) t.same(each, answers[0])
  t.match(answers[0], { status: 303, location: '/forgotten?sent=1' })
  t.equal((await ask('')).statusCode, 422)
})

t.test('S21: one email in ten minutes and three a day, also for parallel visitors', async t => {
  const sent = async () =>
    (await one<{ n: number }>(db, sql`select count(*)::int as n from deliveries where person_id = ${ids.cleo}`)).n
  await Promise.all(Array.from({ length: 8 }, () => ask('cleo@larkfield.example')))
  t.equal(await sent(), 1)
  for (let n = 0; n < 5; n += 1) {
    await later(11)
    await ask('Cleo@Larkfield.example')
  }
  t.equal(await sent(), 3)
  await later(24 * 60)
  await ask('cleo@larkfield.example')
  t.equal(await sent(), 4, 'the next day')
  await db.execute(sql`update sign_in_failures set failures = 10 where key like 'forgotten network%'`)
  const visitor = await browser()
  t.match(await visitor.post('/forgotten', { email: 'ben@larkfield.example' }), { statusCode: 429 })
})

t.test(
  'S1, S2, S19: the link is in no table and no log, looking at it changes nothing, and it ends all sessions',
  async t => {
    const ben = await browser('ben')
    const link = await linkFor('ben')
    t.match(link, /^\/forgotten\/[\w-]{43}$/)
    const token = link.slice('/forgotten/'.length)
    const visitor = await browser()
    for (let n = 0; n < 3; n += 1) t.equal((await visitor.get(link)).statusCode, 200)
    t.equal((await visitor.get(`${link}.`)).statusCode, 200, 'with what a mail program appended')
    const tables = await db.$client`select * from account_links`
    t.notOk(JSON.stringify(tables).includes(token))
    t.notOk(logged.join('').includes(token))
    t.equal((await visitor.post(link, { password: 'too short' })).statusCode, 422)
    t.match(await visitor.post(link, { password: newPassword }), {
      statusCode: 303,
      headers: { location: '/sign-in?reset=1' }
    })
    t.match((await visitor.get('/sign-in?reset=1')).body, 'Your password was changed')
    t.equal((await ben.get('/people')).statusCode, 303, 'ended')
    t.equal((await visitor.get(link)).statusCode, 410)
    t.equal((await visitor.post(link, { password: newPassword })).statusCode, 410)
    t.equal((await signIn(await browser(), 'ben')).statusCode, 422, 'the old password')
    t.equal((await signIn(await browser(), 'ben', newPassword)).statusCode, 303)
    t.match(await newest(), { kind: 'password-reset' })
    t.equal((await visitor.get(`/forgotten/${'A'.repeat(43)}`)).statusCode, 404)
  }
)

t.test('S3: of parallel uses of a link one sets the password, and newer links close with it', async t => {
  const links = [await linkFor('dan'), await linkFor('dan')]
  const visitors = await Promise.all(Array.from({ length: 6 }, () => browser()))
  const answers = await Promise.all(
    visitors.map((each, n) => each.post(links[n % 2] ?? '', { password: `${newPassword}-${n}` }))
  )
  t.equal(answers.filter(({ statusCode }) => statusCode === 303).length, 1)
  t.equal(answers.filter(({ statusCode }) => statusCode === 410).length, 5)
})

t.test('S4: a link ends after half an hour, and with the account', async t => {
  const link = await linkFor('cleo')
  await db.execute(sql`update account_links set expires_at = now() where used_at is null`)
  t.equal((await (await browser()).get(link)).statusCode, 410)
  t.equal((await (await browser()).post(link, { password: newPassword })).statusCode, 410)
})

t.test('a repeated email has the same link', async t => {
  await db.execute(sql`delete from deliveries where person_id = ${ids.ben} and kind like 'password-%'`)
  const link = await linkFor('ben')
  await db.execute(
    sql`update deliveries set state = 'queued', settled_at = null where kind = 'password-link' and person_id = ${ids.ben}`
  )
  const { mail } = await newest()
  t.match(mail?.text, link)
})

t.test('S40: the second factor is still asked for, and allows a short password', async t => {
  await db.execute(sql`delete from deliveries where person_id = ${ids.ada}`)
  const ada = await browser('ada')
  await setUpFactor(ada)
  const link = await linkFor('ada')
  t.match((await (await browser()).get(link)).body, 'At least 8 characters.')
  t.equal((await (await browser()).post(link, { password: 'w7kd2mzq' })).statusCode, 303)
  t.equal((await signIn(await browser(), 'ada', 'w7kd2mzq')).headers.location, '/sign-in/second-factor')
})

t.test('people without a password learn how they sign in, and set one from their profile', async t => {
  await db.execute(sql`update people set password_hash = null where id = ${ids.dan}`)
  await db.execute(sql`delete from deliveries where person_id = ${ids.dan}`)
  await db.execute(
    sql`insert into oidc_providers (id, issuer, client_id, name) values (1, 'https://idp.example', 'x', 'Work account')`
  )
  await ask('dan@larkfield.example')
  const { kind, mail } = await newest()
  t.equal(kind, 'password-help')
  t.match(mail?.text, 'with your organization’s account')
  t.notMatch(mail?.text, '/forgotten/')
  const dan = await browser('dan')
  t.match((await dan.get('/me')).body, 'You sign in without a password here.')
  await later(15)
  t.equal((await dan.post('/me/password-link')).statusCode, 303)
  t.match(await newest(), { kind: 'password-link' })
  await db.execute(
    sql`insert into sign_in_settings (id, passwords) values (1, 'owners') on conflict (id) do update set passwords = 'owners'`
  )
  t.equal((await dan.post('/me/password-link')).statusCode, 409)
  t.ok(app)
})

t.test('S22: only owners read account emails in the outbox', async t => {
  const { id } = await one<{ id: number }>(db, sql`select max(id) as id from deliveries where kind = 'password-link'`)
  const ben = await browser('ben')
  t.equal((await ben.get(`/outbox/${id}`)).statusCode, 403)
  t.equal((await ben.get(`/outbox/${id}.eml`)).statusCode, 403)
  await db.execute(sql`update deliveries set kind = 'invitation' where id = ${id}`)
  t.equal((await ben.get(`/outbox/${id}/html`)).statusCode, 403, 'also where the database does not know it')
  t.equal((await (await browser('ada')).get(`/outbox/${id}`)).statusCode, 200)
  t.ok(goodPassword)
})
