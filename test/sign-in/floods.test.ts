import t from 'tap'
import { baseUrl, encode, goodPassword, startApp } from '../support/app.ts'
import { computeHashes } from '../support/hashes.ts'
import { isLong } from '../support/long.ts'
import { inviteOne, sql } from '../support/people.ts'

const { app, db, ids, close } = await startApp()
t.teardown(close)
const forget = () => db.execute(sql`delete from sign_in_failures`)
const post = (url: string, fields: Record<string, string>, remoteAddress: string) => {
  const headers = { host: 'localhost:3000', origin: baseUrl, 'content-type': 'application/x-www-form-urlencoded' }
  return app.inject({ method: 'POST', url, headers, remoteAddress, payload: encode(fields) })
}
const signIn = (name: string, password: string, address: string) =>
  post('/sign-in', { email: `${name}@larkfield.example`, password }, address)
const counted = (answers: { statusCode: number }[]) => {
  const codes: Record<number, number> = {}
  for (const { statusCode } of answers) codes[statusCode] = (codes[statusCode] ?? 0) + 1
  return codes
}
const wrong = 'a-wrong-password-indeed'

t.test(
  'F3, S21: one network may try thirty passwords a minute over all accounts, and is then told to wait',
  async t => {
    await forget()
    const codes: number[] = []
    for (let n = 0; n < 33; n += 1) codes.push((await signIn(`sprayed${n}`, wrong, '203.0.113.5')).statusCode)
    t.same(codes, [...Array(30).fill(422), 429, 429, 429])
    const refused = await signIn('ada', goodPassword, '203.0.113.5')
    t.equal(refused.statusCode, 429)
    t.match(refused.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
    t.match(refused.body, 'value="ada@larkfield.example"', 'nothing that was typed is lost')
    t.equal((await signIn('ada', goodPassword, '203.0.113.6')).statusCode, 303, 'from another network')
  }
)

t.test('F3: an office that signs in at the same hour is not mistaken for a guesser', async t => {
  await forget()
  for (let round = 0; round < 9; round += 1) {
    const answers = await Promise.all(
      ['ada', 'ben', 'cleo', 'dan'].map(name => signIn(name, goodPassword, '203.0.113.7'))
    )
    t.same(counted(answers), { 303: 4 })
  }
})

t.test('F3: a flood of sign-ins is refused at once, and people of other networks can sign in meanwhile', async t => {
  computeHashes(t)
  await forget()
  const tries = isLong ? 400 : 100
  const flood = Promise.all(Array.from({ length: tries }, (_, n) => signIn(`flood${n}`, wrong, '203.0.113.8')))
  const { token } = await inviteOne(db, ids.ben, 'meanwhile@larkfield.example')
  const [honest, joined] = await Promise.all([
    signIn('dan', goodPassword, '198.51.100.1'),
    post(`/join/${token}`, { name: 'Mean While', password: goodPassword }, '203.0.113.8')
  ])
  t.equal(honest.statusCode, 303)
  t.equal(joined.statusCode, 303, 'the link proves who joins, from whatever network')
  const answers = await flood
  const codes = counted(answers)
  t.equal(codes[422], 30, 'no more passwords are checked than one network may try')
  t.equal(codes[429], tries - 30)
  for (const { statusCode, headers } of answers) if (statusCode === 429) t.match(headers['retry-after'], /^[1-9]\d?$/)
})
