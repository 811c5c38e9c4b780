import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { accountDelay, networkOf } from '../../src/sessions/session.ts'
import { addUser, baseUrl, encode, goodPassword, startApp } from '../support/app.ts'
import { computeHashes } from '../support/hashes.ts'
import { inviteOne, sql } from '../support/people.ts'

const { app, db, ids, browser, close } = await startApp()
t.teardown(close)

async function attempt(
  email: string,
  password: string,
  remoteAddress = '198.51.100.7'
): Promise<LightMyRequestResponse> {
  const headers = { host: 'localhost:3000', origin: baseUrl, 'content-type': 'application/x-www-form-urlencoded' }
  return app.inject({ method: 'POST', url: '/sign-in', headers, remoteAddress, payload: encode({ email, password }) })
}
const wrong = 'a-wrong-password-indeed'
const forget = () => db.execute(sql`delete from sign_in_failures`)

t.test('after signing in, members see their profile, and others the dashboard', async t => {
  for (const [name, home] of [
    ['dan', '/me'],
    ['cleo', '/'],
    ['ben', '/'],
    ['ada', '/']
  ] as const) {
    const answer = await attempt(`${name}@larkfield.example`, goodPassword)
    t.match(answer, { statusCode: 303, headers: { location: home } })
  }
  t.equal((await attempt('  Dan@LARKFIELD.example ', goodPassword)).statusCode, 303, 'the address in any spelling')
  t.equal((await attempt('dan@larkfield.example', `${goodPassword} `)).statusCode, 422, 'the password exactly')
  const dan = await browser('dan')
  t.match(await dan.get('/sign-in'), { statusCode: 303, headers: { location: '/me' } }, 'signed in already')
})

t.test(
  'a wrong password keeps the address, and the one-sentence error does not say which of the two was wrong',
  async t => {
    const answer = await attempt('dan@larkfield.example', wrong)
    t.equal(answer.statusCode, 422)
    t.match(answer.body, 'value="dan@larkfield.example"')
    t.match(answer.body, 'Wrong email or password.')
    t.notOk(answer.body.includes(wrong))
    t.match(answer.body, /id="errors" autofocus/, 'the summary has the focus')
    for (const [email, password] of [
      ['', ''],
      ['dan@larkfield.example', ''],
      ['no address', 'x'],
      ['x'.repeat(9000), 'x']
    ] as const)
      t.equal((await attempt(email, password)).statusCode, 422)
  }
)

t.test('S20: unknown addresses, invited people and deactivated users get the answer for a wrong password', async t => {
  await forget()
  await addUser(db, 'gone', 'member', { isDeactivated: true })
  await inviteOne(db, ids.ben, 'open@larkfield.example')
  const spell = (answer: LightMyRequestResponse, email: string) => ({
    status: answer.statusCode,
    body: answer.body.replaceAll(email, '…'),
    length: answer.body.length - email.length,
    headers: { ...answer.headers, date: '', 'content-length': '' }
  })
  const known = 'dan@larkfield.example'
  const expected = spell(await attempt(known, wrong), known)
  for (const email of ['gone@larkfield.example', 'open@larkfield.example', 'nil@larkfield.example', 'eve@evil.example'])
    t.same(spell(await attempt(email, wrong), email), expected, email)
  for (const email of ['gone@larkfield.example', 'open@larkfield.example'])
    t.same(spell(await attempt(email, goodPassword), email), expected, `${email} with a password that would fit`)
})

t.test('S20: two hundred unknown addresses are answered like two hundred known ones', async t => {
  await forget()
  const known = ['ada', 'ben', 'cleo', 'dan']
  const shape = ({ statusCode, body, headers }: LightMyRequestResponse, email: string) =>
    JSON.stringify([statusCode, body.length - email.length, Object.keys(headers)])
  const shapes = new Set<string>()
  for (let round = 0; round < 5; round += 1)
    await Promise.all(
      known.flatMap(name =>
        [`${name}@larkfield.example`, `x${name}${round}@larkfield.example`].map(async email =>
          shapes.add(shape(await attempt(email, wrong, `192.0.2.${round}`), email))
        )
      )
    )
  t.equal(shapes.size, 1)
})

t.test('S21: five tries a minute for an account from one network, then a stated wait', async t => {
  await forget()
  for (let round = 0; round < 5; round += 1) t.equal((await attempt('ben@larkfield.example', wrong)).statusCode, 422)
  const refused = await attempt('ben@larkfield.example', goodPassword)
  t.equal(refused.statusCode, 429, 'the right password as well')
  const seconds = Number(refused.headers['retry-after'])
  t.ok(seconds >= 1 && seconds <= 60)
  t.match(refused.body, `Wait ${seconds} second`)
  t.match(refused.body, 'value="ben@larkfield.example"')
  t.equal((await attempt('BEN@larkfield.example ', wrong)).statusCode, 429, 'in another spelling')
  t.equal(
    (await attempt('ben@larkfield.example', goodPassword, '198.51.100.8')).statusCode,
    303,
    'from another network'
  )
  t.equal((await attempt('cleo@larkfield.example', goodPassword)).statusCode, 303, 'another account')
  await db.execute(sql`update sign_in_failures set window_started_at = now() - interval '61 seconds'`)
  t.equal((await attempt('ben@larkfield.example', goodPassword)).statusCode, 303, 'a minute later')
})

t.test('S21: concurrent tries cannot slip through', async t => {
  computeHashes(t)
  await forget()
  const answers = await Promise.all(Array.from({ length: 12 }, () => attempt('ben@larkfield.example', wrong)))
  t.equal(answers.filter(({ statusCode }) => statusCode === 422).length, 5)
  t.equal(answers.filter(({ statusCode }) => statusCode === 429).length, 7)
})

t.test('S21: an IPv6 /64 shares one limit, in any spelling of an address', async t => {
  const same = [
    '2001:db8:1:2::1',
    '2001:DB8:1:2::ffff',
    '2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd',
    '2001:db8:1:2:0:0:0:9%eth0'
  ]
  t.equal(new Set(same.map(networkOf)).size, 1)
  t.not(networkOf('2001:db8:1:3::1'), networkOf(same[0]!))
  t.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(networkOf('::1'), networkOf('0:0:0:0:0:0:0:1'))
  await forget()
  for (let host = 1; host <= 5; host += 1) await attempt('ben@larkfield.example', wrong, `2001:db8:1:2::${host}`)
  t.equal((await attempt('ben@larkfield.example', goodPassword, '2001:db8:1:2:ffff::1')).statusCode, 429)
  t.equal((await attempt('ben@larkfield.example', goodPassword, '2001:db8:1:3::1')).statusCode, 303)
})

t.test('S21: an account that many networks guess at waits longer and longer, and is never locked', async t => {
  await forget()
  const from = (round: number) => `203.0.113.${round}`
  for (let round = 0; round < 20; round += 1)
    t.equal((await attempt('dan@larkfield.example', wrong, from(round))).statusCode, 422)
  const refused = await attempt('dan@larkfield.example', goodPassword, from(99))
  t.equal(refused.statusCode, 429)
  t.ok(Number(refused.headers['retry-after']) <= 15)
  await db.execute(sql`update sign_in_failures set last_at = now() - interval '14 seconds' where failures >= 20`)
  t.equal((await attempt('dan@larkfield.example', wrong, from(98))).statusCode, 429, 'a stranger keeps trying')
  await db.execute(sql`update sign_in_failures set last_at = last_at - interval '2 seconds' where failures >= 20`)
  t.equal((await attempt('dan@larkfield.example', goodPassword, from(97))).statusCode, 303, 'which delays no one else')
  t.equal((await attempt('dan@larkfield.example', wrong, from(96))).statusCode, 422, 'and the count begins anew')
})

t.test('S21: fewer than a hundred guesses a day, with delays of an hour at most', async t => {
  let [guesses, seconds] = [0, 0]
  while (seconds < 24 * 3600) seconds += accountDelay(guesses++)
  t.ok(guesses < 100, `${guesses}`)
  t.equal(accountDelay(10_000), 3600)
  t.equal(accountDelay(19), 0)
})

t.test('S21: an admin’s resend is never refused', async t => {
  const { invitationId } = await inviteOne(db, ids.ben, 'often@larkfield.example')
  const ben = await browser('ben')
  for (let round = 0; round < 40; round += 1)
    t.equal((await ben.post(`/invitations/${invitationId}/deliveries`)).statusCode, 303)
})
