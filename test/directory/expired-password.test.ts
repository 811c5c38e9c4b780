import t from 'tap'
import { goodPassword, startApp } from '../support/app.ts'
import { message, result, startFake } from '../support/fake-directory.ts'
import { inviteOne, sql } from '../support/people.ts'
import { bindDn, dnOf, suffix } from '../support/slapd.ts'

const entryOf = (uid: string) => ({
  dn: dnOf(uid),
  attributes: {
    ...{ objectClass: ['inetOrgPerson'], uid: [uid], cn: [uid], mail: [`${uid}@larkfield.example`] },
    entryUUID: [`id-${uid}`]
  }
})
const data = new Map([
  ['old', '532'],
  ['reset', '773']
])
const bindPassword = 'ends with a blank '
const passwords: string[] = []
/** Active Directory reports other problems only if the password is correct. */
const fake = await startFake({
  entries: ['old', 'reset', 'dan'].map(entryOf),
  script: ({ kind, id, dn, password }, reply) => {
    if (kind !== 'bind') return false
    passwords.push(password)
    if (dn === bindDn) return reply.raw(message(id, result(0x61, password === bindPassword ? 0 : 49)))
    if (password === goodPassword && dn === dnOf('dan')) return reply.raw(message(id, result(0x61, 0)))
    const why = password === goodPassword ? data.get(/uid=(\w+)/.exec(dn)![1]!) : '52e'
    return reply.raw(message(id, result(0x61, 49, `AcceptSecurityContext error, data ${why}, v4563`)))
  }
})
const rollcall = await startApp({
  environment: {
    ...{ LDAP_URL: fake.url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix },
    LDAP_SIGN_IN: 'on'
  }
})
t.teardown(() => Promise.all([fake.stop(), rollcall.close()]))
const { db, ids, browser } = rollcall
const expired = 'Your directory password has expired. Change it there'
const toChange = 'You have to change your directory password before you can use it here. Change it in the directory'

t.test('E26: joining with a correct but expired password says so, and with a wrong one does not', async t => {
  const browse = await browser()
  for (const [uid, words] of [
    ['old', expired],
    ['reset', toChange]
  ] as const) {
    const { token } = await inviteOne(db, ids.ben, `${uid}@larkfield.example`)
    const right = await browse.post(`/join/${token}`, { name: uid, password: goodPassword })
    t.equal(right.statusCode, 422)
    t.match(right.body, `${words}, then try again.`)
    const wrong = await browse.post(`/join/${token}`, { name: uid, password: `not ${goodPassword}` })
    t.equal(wrong.statusCode, 422)
    t.notMatch(wrong.body, /expired|have to change/)
  }
})

t.test('E26: signing in does the same, and a guess gets the usual answer', async t => {
  await db.execute(
    sql`update people set directory_id = 'id-old', directory_bound_at = now(), password_hash = null where id = ${ids.dan}`
  )
  const browse = await browser()
  const right = await browse.post('/sign-in', { email: 'dan@larkfield.example', password: goodPassword })
  t.equal(right.statusCode, 422)
  t.match(right.body, `${expired}, then sign in.`)
  const wrong = await browse.post('/sign-in', { email: 'dan@larkfield.example', password: `not ${goodPassword}` })
  t.notMatch(wrong.body, /expired/)
})

t.test('E26: passwords reach the directory as typed, including spaces at the ends', async t => {
  t.ok(passwords.includes(bindPassword))
  const browse = await browser()
  await browse.post('/sign-in', { email: 'dan@larkfield.example', password: ` ${goodPassword} ` })
  t.ok(passwords.includes(` ${goodPassword} `))
})
