import t from 'tap'
import { baseUrl, encode, goodPassword, startApp } from '../support/app.ts'
import { type FakeDirectory, message, result, type Script, startFake } from '../support/fake-directory.ts'
import { inviteOne, one, sql } from '../support/people.ts'
import { bindDn, bindPassword, dnOf, group, person, startSlapd, suffix } from '../support/slapd.ts'

const slapd = await startSlapd({
  modules: ['ppolicy'],
  entries: [
    person('nora', { userPassword: 'nora-in-the-directory' }),
    person('omar', { userPassword: 'omar-in-the-directory' }),
    person('gone', { userPassword: 'gone-in-the-directory', pwdAccountLockedTime: '000001010000Z' }),
    person('dan', { userPassword: 'dan-in-the-directory' }),
    group('Sales', [dnOf('nora')])
  ]
})
const environmentOf = (url: string) => ({
  ...{ LDAP_URL: url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix },
  LDAP_SIGN_IN: 'on'
})
const rollcall = await startApp({ environment: environmentOf(slapd.url) })
t.teardown(() => Promise.all([slapd.stop(), rollcall.close()]))
const { db, ids, browser } = rollcall
const entryOf = (uid: string) => ({
  dn: dnOf(uid),
  attributes: {
    ...{ objectClass: ['inetOrgPerson'], uid: [uid], cn: [uid], mail: [`${uid}@larkfield.example`] },
    entryUUID: [`00000000-0000-4000-8000-${Buffer.from(uid).toString('hex').padStart(12, '0').slice(-12)}`]
  }
})
/** Only the bind account can sign in. */
const refuse: Script = ({ id, kind, dn }, reply) =>
  kind === 'bind' && dn !== bindDn && reply.raw(message(id, result(0x61, 49)))
const bindsOf = (fake: FakeDirectory, uid: string) =>
  fake.requests.filter(({ kind, dn }) => kind === 'bind' && dn === dnOf(uid))
const signIn = async (email: string, password: string, { app } = rollcall, remoteAddress = '198.51.100.7') => {
  const headers = { host: 'localhost:3000', origin: baseUrl, 'content-type': 'application/x-www-form-urlencoded' }
  return app.inject({ method: 'POST', url: '/sign-in', headers, remoteAddress, payload: encode({ email, password }) })
}
const forget = () => db.execute(sql`delete from sign_in_failures`)

t.test('an invited person joins with the directory’s password, and Rollcall stores no other', async t => {
  const { token, personId } = await inviteOne(db, ids.ben, 'nora@larkfield.example')
  const nobody = await browser()
  const page = (await nobody.get(`/join/${token}`)).body
  t.match(page, 'Your Larkfield password')
  t.notMatch(page, 'Choose a password')
  for (const password of ['', goodPassword, 'omar-in-the-directory']) {
    const refused = await nobody.post(`/join/${token}`, { name: 'Nora', password })
    t.equal(refused.statusCode, 422)
    t.match(refused.body, 'is not the directory password for this address')
    t.match(refused.body, 'value="Nora"')
  }
  t.match(await nobody.post(`/join/${token}`, { name: 'Nora', password: 'nora-in-the-directory' }), {
    ...{ statusCode: 303, headers: { location: '/me' } }
  })
  t.match(await one(db, sql`select email, password_hash, stage from people where id = ${personId}`), {
    ...{ email: 'nora@larkfield.example', passwordHash: null, stage: 'signed-up' }
  })
  const me = (await nobody.get('/me')).body
  t.notMatch(me, 'Change password', 'the directory’s password is not ours to change')
})

t.test('that person signs in with it; the owner without an entry signs in with a Rollcall password', async t => {
  await forget()
  t.equal((await signIn('Nora@larkfield.example', 'nora-in-the-directory')).statusCode, 303)
  t.equal((await signIn('nora@larkfield.example', 'dan-in-the-directory')).statusCode, 422)
  t.equal((await signIn('dan@larkfield.example', goodPassword)).statusCode, 303)
  t.equal((await signIn('ada@larkfield.example', goodPassword)).statusCode, 303)
  const stranger = await signIn('omar@larkfield.example', 'omar-in-the-directory')
  t.equal(stranger.statusCode, 422, 'no user, whatever the directory says')
})

t.test('people who are disabled in the directory can neither join nor sign in', async t => {
  await forget()
  const { token } = await inviteOne(db, ids.ben, 'gone@larkfield.example')
  const nobody = await browser()
  t.equal((await nobody.post(`/join/${token}`, { name: 'Gone', password: 'gone-in-the-directory' })).statusCode, 422)
  t.match(await one(db, sql`select stage from people where address_key = 'gone@larkfield.example'`), {
    stage: 'invited'
  })
})

t.test('flaw 9: at most four guesses reach the directory, from any number of networks', async t => {
  const fake = await startFake({ entries: [entryOf('dan'), entryOf('ben')], script: refuse })
  const guessed = await startApp({ environment: environmentOf(fake.url) })
  t.teardown(() => Promise.all([fake.stop(), guessed.close()]))
  const answers = await Promise.all(
    Array.from({ length: 18 }, (_, index) =>
      signIn('dan@larkfield.example', 'wrong', guessed, `198.51.100.${index + 1}`)
    )
  )
  t.equal(bindsOf(fake, 'dan').length, 4)
  t.equal(answers.filter(({ statusCode }) => statusCode === 422).length, 4)
  const late = answers.filter(({ statusCode }) => statusCode === 429)
  t.equal(late.length, 14)
  for (const { headers } of late) t.match(headers['retry-after'], /^(17..|1800)$/)

  const { token } = await inviteOne(guessed.db, guessed.ids.ben, 'ben.two@larkfield.example')
  const nobody = await guessed.browser()
  const joins = await Promise.all(
    Array.from({ length: 20 }, () => nobody.post(`/join/${token}`, { name: 'B', password: 'wrong' }))
  )
  t.equal(joins.filter(({ statusCode }) => statusCode === 429).length, 16, 'the page for joining is no way round')

  t.equal(
    (await signIn('dan@larkfield.example', goodPassword, guessed, '203.0.113.1')).statusCode,
    303,
    'a password kept here still works'
  )
  await guessed.db.execute(
    sql`update sign_in_failures set last_at = now() - interval '31 minutes' where key like 'bind %'`
  )
  t.equal((await signIn('ben@larkfield.example', 'wrong', guessed)).statusCode, 422)
  await signIn('dan@larkfield.example', 'wrong', guessed, '203.0.113.9')
  t.equal(bindsOf(fake, 'dan').length, 5, 'half an hour later another bind is allowed')
})

t.test('S20: an unknown address gets the same answers, and its password is sent nowhere', async t => {
  const fake = await startFake({ entries: [entryOf('dan'), entryOf('stranger')], script: refuse })
  const asked = await startApp({ environment: environmentOf(fake.url) })
  t.teardown(() => Promise.all([fake.stop(), asked.close()]))
  for (const email of ['dan@larkfield.example', 'stranger@larkfield.example', 'nobody@larkfield.example']) {
    const answers = []
    for (let each = 0; each < 5; each += 1) answers.push(await signIn(email, 'wrong', asked, `192.0.2.${each}`))
    t.same(
      answers.map(({ statusCode }) => statusCode),
      [422, 422, 422, 422, 429],
      email
    )
  }
  t.equal(bindsOf(fake, 'stranger').length, 0)
})

t.test(
  'S20: the directory receives the same requests for unknown addresses as for users, with an entry or without',
  async t => {
    const fake = await startFake({ entries: [entryOf('dan'), entryOf('cleo'), entryOf('stranger')], script: refuse })
    const asked = await startApp({ environment: environmentOf(fake.url) })
    t.teardown(() => Promise.all([fake.stop(), asked.close()]))
    const bind = (uid: string, entry: string) =>
      asked.db.execute(sql`update people set directory_id = ${entry} where email = ${`${uid}@larkfield.example`}`)
    await bind('cleo', entryOf('cleo').attributes.entryUUID[0]!)
    await bind('ben', '00000000-0000-4000-8000-00000000dead')
    const heard = async (uid: string) => {
      const before = fake.requests.length
      t.equal((await signIn(`${uid}@larkfield.example`, 'typed-by-hand', asked)).statusCode, 422)
      return fake.requests.slice(before).map(({ kind, dn }) => (kind === 'bind' && dn === bindDn ? 'account' : kind))
    }
    const user = await heard('dan')
    t.equal(user.filter(kind => kind === 'bind').length, 1)
    t.same(await heard('cleo'), user, 'bound to an entry')
    t.same(await heard('ben'), user, 'bound to an entry that is not there')
    t.same(await heard('stranger'), user, 'no user here')
    t.same(await heard('nobody'), user, 'in neither place')
  }
)

t.test('an unreachable directory is reported, costs no try, and does not affect Rollcall passwords', async t => {
  const away = await startApp({ environment: environmentOf('ldap://127.0.0.1:3') })
  t.teardown(away.close)
  for (let each = 0; each < 6; each += 1) {
    const answer = await signIn('dan@larkfield.example', 'dan-in-the-directory', away, `192.0.2.${each}`)
    t.equal(answer.statusCode, 503)
    t.match(answer.body, 'Could not reach your organization’s directory')
  }
  t.equal((await signIn('dan@larkfield.example', goodPassword, away)).statusCode, 303)
  t.equal((await signIn('dan@larkfield.example', '', away, '192.0.2.7')).statusCode, 422, 'the directory is not asked')
  t.equal((await signIn('', '', away, '192.0.2.8')).statusCode, 422)
  const { token } = await inviteOne(away.db, away.ids.ben, 'nora@larkfield.example')
  const nobody = await away.browser()
  t.equal((await nobody.post(`/join/${token}`, { name: 'N', password: 'nora-in-the-directory' })).statusCode, 503)
})

t.test(
  'F7: strangers who use up the tries at the directory keep out neither a known browser nor an invited person',
  async t => {
    await forget()
    const nora = await browser()
    const fields = { email: 'nora@larkfield.example', password: 'nora-in-the-directory' }
    t.equal((await nora.post('/sign-in', fields)).statusCode, 303)
    const { token } = await inviteOne(db, ids.ben, 'omar@larkfield.example')
    for (const uid of ['nora', 'omar']) {
      const strangers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => signIn(`${uid}@larkfield.example`, 'wrong', rollcall, `203.0.113.${n}`))
      )
      t.equal(strangers.filter(({ statusCode }) => statusCode === 429).length, 2, uid)
    }
    const late = await signIn(fields.email, fields.password, rollcall, '203.0.113.50')
    t.equal(late.statusCode, 429, 'a browser that is new has to wait')
    t.match(late.body, /Wait 30 minutes and try again/)
    t.equal((await nora.post('/sign-in', fields)).statusCode, 303)
    const omar = await browser()
    t.equal((await omar.post(`/join/${token}`, { name: 'Omar', password: 'omar-in-the-directory' })).statusCode, 303)
  }
)
