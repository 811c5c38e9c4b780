import { execFile } from 'node:child_process'
import path from 'node:path'
import t from 'tap'
import { readKept } from '../../src/mail/outbox.ts'
import { makeSignInLink } from '../../src/sign-in/sign-in-link.ts'
import { secretKey, startApp } from '../support/app.ts'
import { cloneDatabase } from '../support/database.ts'
import { one, sql } from '../support/people.ts'
import { rule, setUpFactor, signIn } from '../support/second-factor.ts'

const { db, ids, browser, work, dataDir, close } = await startApp()
t.teardown(close)

const onlyOwners = () =>
  db.execute(
    sql`insert into sign_in_settings (id, passwords) values (1, 'owners') on conflict (id) do update set passwords = 'owners'`
  )

t.test('an owner’s password signs in where only owners have one, and all owners are told', async t => {
  await onlyOwners()
  await db.execute(sql`update people set role = 'owner' where id = ${ids.cleo}`)
  t.equal((await signIn(await browser(), 'ben')).statusCode, 422)
  t.equal((await signIn(await browser(), 'ada')).statusCode, 303)
  t.match(await one(db, sql`select kind, person_id from events where kind = 'owner-password-used'`), {
    personId: ids.ada
  })
  await work()
  const mails = await db.$client<{ id: number; address: string }[]>`
    select id, address from deliveries where kind = 'owner-password' order by address`
  t.same(
    mails.map(({ address }) => address),
    ['ada@larkfield.example', 'cleo@larkfield.example']
  )
  const mail = await readKept(path.join(dataDir, 'outbox'), mails[1]?.id ?? 0)
  t.match(mail?.text, 'Ada (ada@larkfield.example) used a password to sign in')
})

t.test('S2, S3: a link made on the server signs an owner in once, past the second factor', async t => {
  const ada = await browser('ada')
  await setUpFactor(ada)
  await rule(db, 'admins')
  const made = await makeSignInLink(db, 'Ada@larkfield.example')
  if (made.outcome !== 'made') throw new Error(made.outcome)
  const link = `/sign-in/once/${made.token}`
  t.notOk(JSON.stringify(await db.$client`select * from account_links`).includes(made.token))
  const visitors = await Promise.all(Array.from({ length: 5 }, () => browser()))
  for (const each of visitors) t.equal((await each.get(link)).statusCode, 200)
  const answers = await Promise.all(visitors.map(each => each.post(link)))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [303, 410, 410, 410, 410])
  const winner = visitors.find((_, n) => answers[n]?.statusCode === 303)
  t.equal((await winner?.get('/settings/organization'))?.statusCode, 200)
  t.match(await one(db, sql`select method from sessions order by id desc limit 1`), { method: 'link' })
  t.match(await one(db, sql`select count(*)::int as n from deliveries where kind = 'sign-in-link'`), { n: 2 })
  t.equal((await (await browser()).get(`/sign-in/once/${'A'.repeat(43)}`)).statusCode, 404)
  await rule(db, 'off')
})

t.test('S4: it ends after ten minutes, by a newer one, and with the role', async t => {
  const make = async () => {
    const made = await makeSignInLink(db, 'cleo@larkfield.example')
    return made.outcome === 'made' ? `/sign-in/once/${made.token}` : ''
  }
  const first = await make()
  const second = await make()
  const visitor = await browser()
  t.equal((await visitor.post(first)).statusCode, 410)
  await db.execute(sql`update account_links set expires_at = now() where used_at is null`)
  t.equal((await visitor.post(second)).statusCode, 410)
  const third = await make()
  await db.execute(sql`update people set role = 'admin' where id = ${ids.cleo}`)
  t.equal((await visitor.post(third)).statusCode, 410)
  t.same(await makeSignInLink(db, 'cleo@larkfield.example'), { outcome: 'no-owner' })
  t.same(await makeSignInLink(db, 'no-one@larkfield.example'), { outcome: 'no-user' })
  t.same(await makeSignInLink(db, 'ada'), { outcome: 'no-address' })
})

t.test('the command prints the link, or says what is wrong', async t => {
  const { url, drop } = await cloneDatabase({ template: 'larkfield' })
  t.teardown(drop)
  const root = path.join(import.meta.dirname, '../..')
  const { PATH = '', HOME = '' } = process.env
  const env = {
    PATH,
    HOME,
    DATABASE_URL: url,
    SECRET_KEY: secretKey.toString('base64'),
    BASE_URL: 'https://rollcall.example'
  }
  const run = (...words: string[]) =>
    new Promise<{ code: number; out: string; err: string }>(done => {
      execFile(process.execPath, ['src/cli.ts', ...words], { cwd: root, env }, (error, out, err) =>
        done({ code: Number(error?.code ?? 0), out, err })
      )
    })
  const made = await run('sign-in-link', 'ada@larkfield.example')
  t.match(made, { code: 0, err: '' })
  t.match(made.out, /^https:\/\/rollcall\.example\/sign-in\/once\/[\w-]{43}$/m)
  t.match(await run('sign-in-link', 'ben@larkfield.example'), { code: 1, out: '', err: /not an owner/ })
  t.match(await run('sign-in'), { code: 1, err: /^Usage: rollcall sign-in-link EMAIL/ })
})

t.test('S19: owners see a person’s sessions and end one or all; admins do not', async t => {
  const dan = await browser('dan')
  const other = await browser('dan')
  const ada = await browser('ada')
  const page = (await ada.get(`/people/${ids.dan}`)).body
  const sessions = [...page.matchAll(/data-session="(\d+)"/g)].map(([, id]) => id)
  t.equal(sessions.length, 2)
  t.match(page, 'Signed in with a password')
  const ben = await browser('ben')
  t.notMatch((await ben.get(`/people/${ids.dan}`)).body, 'data-session')
  t.equal((await ben.post(`/people/${ids.dan}/sessions/end`)).statusCode, 403)
  t.equal((await ada.post(`/people/${ids.ben}/sessions/${sessions[0]}/end`)).statusCode, 404, 'of another person')
  t.equal((await ada.post(`/people/${ids.dan}/sessions/${sessions[0]}/end`)).statusCode, 303)
  const alive = await Promise.all([dan, other].map(async each => (await each.get('/me')).statusCode))
  t.same(alive.sort(), [200, 303])
  t.equal((await ada.post(`/people/${ids.dan}/sessions/end`)).statusCode, 303)
  t.same(await Promise.all([dan, other].map(async each => (await each.get('/me')).statusCode)), [303, 303])
  t.match(await one(db, sql`select count(*)::int as n from events where kind = 'sessions-ended'`), { n: 2 })
  t.equal((await ada.post(`/people/${ids.ada}/sessions/end`)).statusCode, 303)
  t.equal((await ada.get('/me')).statusCode, 200, 'an owner’s current session stays')
})

t.test('an owner removes a lost second factor, which ends the sessions', async t => {
  await db.execute(sql`update sign_in_settings set passwords = 'everybody'`)
  const ben = await browser('ben')
  await setUpFactor(ben)
  const ada = await browser('ada')
  t.match((await ada.get(`/people/${ids.ben}`)).body, 'Remove second factor')
  t.equal((await ada.post(`/people/${ids.ben}/second-factor/removal`)).statusCode, 303)
  t.equal((await ben.get('/me')).statusCode, 303)
  t.equal((await signIn(await browser(), 'ben')).headers.location, '/')
  t.equal((await ada.post(`/people/${ids.ben}/second-factor/removal`)).statusCode, 404)
})
