import t from 'tap'
import { addMark, readMarks } from '../../src/sessions/known-browser.ts'
import { addUser, type Browser, baseUrl, encode, goodPassword, startApp } from '../support/app.ts'
import { computeHashes } from '../support/hashes.ts'
import { isLong } from '../support/long.ts'
import { inviteOne, sql } from '../support/people.ts'

const { app, db, ids, browser, close } = await startApp()
t.teardown(close)
const wrong = 'a-wrong-password-indeed'
const forget = () => db.execute(sql`delete from sign_in_failures`)
const stranger = (email: string, remoteAddress: string) => {
  const headers = { host: 'localhost:3000', origin: baseUrl, 'content-type': 'application/x-www-form-urlencoded' }
  const payload = encode({ email, password: wrong })
  return app.inject({ method: 'POST', url: '/sign-in', headers, remoteAddress, payload })
}
const signIn = async (visitor: Browser, name: string, password = goodPassword) =>
  (await visitor.post('/sign-in', { email: `${name}@larkfield.example`, password })).statusCode

t.test('F7: the only owner can sign in from a known browser, whatever strangers try', async t => {
  await forget()
  const ada = await browser('ada')
  await ada.post('/sign-out')
  const email = 'ada@larkfield.example'
  for (let n = 0; n < 24; n += 1) await stranger(email, `203.0.113.${n}`)
  await db.execute(sql`update sign_in_failures set failures = 90, last_at = now() where failures >= 20`)
  t.equal(await signIn(await browser(), 'ada'), 429, 'a browser that is new has to wait')
  for (let n = 0; n < 8; n += 1) await stranger(email, '127.0.0.1')
  t.equal(await signIn(ada, 'ada'), 303)
  await forget()
  for (let n = 0; n < 35; n += 1) await stranger(`sprayed${n}@larkfield.example`, '127.0.0.1')
  t.equal(await signIn(await browser(), 'ada'), 429, 'its network has used up its tries')
  t.equal(await signIn(ada, 'ada'), 303)
})

t.test('F7: a known browser has its own counter, only for users who have signed in with it', async t => {
  await forget()
  const visitor = await browser('ben')
  for (let n = 0; n < 5; n += 1) t.equal(await signIn(visitor, 'ben', wrong), 422)
  t.equal(await signIn(visitor, 'ben'), 429)
  t.equal(await signIn(await browser(), 'ben'), 303, 'which delays no one else')
  for (let n = 0; n < 5; n += 1) t.equal(await signIn(visitor, 'cleo', wrong), 422)
  t.equal(await signIn(visitor, 'cleo'), 429)
  t.equal(await signIn(await browser(), 'cleo'), 429, 'for Cleo, that browser is a stranger on this network')
})

t.test('F7: a shared browser is known for each of its users', async t => {
  await forget()
  const shared = await browser('ben')
  await signIn(shared, 'cleo')
  await signIn(shared, 'dan')
  for (const name of ['ben', 'cleo', 'dan'])
    for (let n = 0; n < 6; n += 1) await stranger(`${name}@larkfield.example`, '127.0.0.1')
  for (const name of ['ben', 'cleo', 'dan']) t.equal(await signIn(shared, name), 303, name)
})

t.test('F7: the mark is signed, bound to one user, and grants nothing by itself', async t => {
  await forget()
  const [key, former, other] = [1, 2, 3].map(byte => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
  const mark = addMark([key], undefined, 7)
  t.match(readMarks([key], mark), [{ personId: 7 }])
  t.match(readMarks([other, key], mark), [{ personId: 7 }], 'made with a former key')
  t.same(readMarks([former], mark), [])
  t.same(readMarks([key], mark.replace(/^7/, '8')), [])
  for (const text of ['', 'x', '~~~', mark.slice(0, -1), `${mark}A`, 'a'.repeat(100_000), mark.replace('.', '..')])
    t.same(readMarks([key], text), [], text.slice(0, 20))
  let many = mark
  for (let id = 8; id < 20; id += 1) many = addMark([key], many, id)
  t.same(
    readMarks([key], many).map(({ personId }) => personId),
    [19, 18, 17, 16, 15]
  )
  t.ok(many.length < 600)
  const visitor = await browser('ben')
  t.equal((await (await browser()).get('/me', { cookie: visitor.mark! })).statusCode, 303, 'no session')
})

t.test('S33: the mark is a cookie like the session’s, and signing out keeps it', async t => {
  const { token } = await inviteOne(db, ids.ben, 'joins@larkfield.example')
  const visitor = await browser()
  const answer = await visitor.post(`/join/${token}`, { name: 'Joins', password: goodPassword })
  for (const { name, httpOnly, secure, sameSite, path } of answer.cookies as unknown as Record<string, unknown>[])
    t.match(
      { name, httpOnly, secure, sameSite, path },
      { name: /^__Host-rollcall/, httpOnly: true, secure: true, sameSite: 'Lax', path: '/' }
    )
  t.equal(answer.cookies.length, 2)
  t.equal(answer.cookies.at(-1)?.name, '__Host-rollcall', 'the session comes last')
  await visitor.post('/sign-out')
  t.equal(visitor.cookie, undefined)
  t.ok(visitor.mark)
})

t.test('F6, S19: a sign-in in progress does not survive a change of its password', async t => {
  computeHashes(t)
  await forget()
  const id = await addUser(db, 'rita', 'member')
  const rita = await browser()
  await signIn(rita, 'rita')
  const late = await Promise.all(Array.from({ length: isLong ? 8 : 4 }, () => browser()))
  const changed = rita.post('/me', { current_password: goodPassword, password: 'nine-herons-walk-south' })
  const answers = await Promise.all([...late.map(each => signIn(each, 'rita')), changed])
  t.equal((answers.at(-1) as { statusCode: number }).statusCode, 303)
  for (const each of late) t.equal((await each.get('/me')).statusCode, 303, 'no session with the old password works')
  t.equal((await rita.get('/me')).statusCode, 200)
  const [row] = await db.execute<{ n: number }>(sql`select count(*) as n from sessions where person_id = ${id}`)
  t.equal(row!.n, 1)
})

t.test('F6, S38: a sign-in in progress does not survive a deactivation, nor return with a reactivation', async t => {
  computeHashes(t)
  await forget()
  const id = await addUser(db, 'sven', 'member')
  const ben = await browser('ben')
  const late = await Promise.all(Array.from({ length: isLong ? 5 : 3 }, () => browser()))
  const signIns = late.map(each => signIn(each, 'sven'))
  t.equal((await ben.post(`/people/${id}/deactivation`)).statusCode, 303)
  t.equal((await ben.post(`/people/${id}/reactivation`)).statusCode, 303)
  await Promise.all(signIns)
  const [before] = await db.execute<{ n: number }>(sql`
    select count(*) as n from sessions where person_id = ${id} and created_at <
      (select max(at) from events where person_id = ${id} and kind = 'person-reactivated')`)
  t.equal(before!.n, 0, 'no session is older than the reactivation')
})

t.test('F12: an open browser cannot be used to guess the password: ten wrong ones end the session', async t => {
  await forget()
  const id = await addUser(db, 'tara', 'member')
  const tara = await browser()
  await signIn(tara, 'tara')
  const guess = (text: string) => tara.post('/me', { current_password: text, password: 'nine-herons-walk-south' })
  for (let n = 0; n < 9; n += 1) t.equal((await guess(`${wrong}${n}`)).statusCode, 422)
  const tenth = await guess(wrong)
  t.equal(tenth.statusCode, 401)
  t.match(tenth.body, 'You were signed out after 10 wrong current passwords')
  t.equal((await tara.get('/me')).statusCode, 303)
  const [event] = await db.execute<{ n: number }>(
    sql`select count(*) as n from events where kind = 'password-guessed' and person_id = ${id}`
  )
  t.equal(event!.n, 1)
  t.equal(await signIn(tara, 'tara'), 303, 'the user signs in again at once')
  t.equal(
    (await tara.post('/me', { current_password: goodPassword, password: 'nine-herons-walk-south' })).statusCode,
    303
  )
})

t.test('F12: concurrent guesses cannot exceed ten, and delays span sessions', async t => {
  computeHashes(t)
  await forget()
  const id = await addUser(db, 'ulla', 'member')
  const ulla = await browser()
  await signIn(ulla, 'ulla')
  const fields = { current_password: wrong, password: 'nine-herons-walk-south' }
  const answers = await Promise.all(Array.from({ length: isLong ? 16 : 12 }, () => ulla.post('/me', fields)))
  t.ok(answers.filter(({ statusCode }) => statusCode === 422).length <= 10)
  t.equal((await ulla.get('/me')).statusCode, 303)
  await signIn(ulla, 'ulla')
  await db.execute(sql`update sign_in_failures set failures = 30, last_at = now() where key = ${`me ${id}`}`)
  const late = await ulla.post('/me', { ...fields, current_password: goodPassword })
  t.equal(late.statusCode, 422)
  t.match(late.headers['retry-after'], /^\d+$/)
  t.match(late.body, 'Too many attempts')
})

t.test('F5: concurrent sign-ins of one user all succeed', async t => {
  computeHashes(t)
  await forget()
  for (let round = 0; round < (isLong ? 3 : 1); round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 5 }, async (_, n) => {
        await new Promise(resolve => setTimeout(resolve, n * 15))
        return signIn(await browser(), 'dan')
      })
    )
    t.same(answers, Array(5).fill(303))
  }
})
