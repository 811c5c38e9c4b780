import t from 'tap'
import { goodPassword, setupToken, startApp } from '../support/app.ts'
import { inviteOne, one, sql } from '../support/people.ts'
import { forms } from '../support/routes.ts'

const set = await startApp()
const fresh = await startApp({ isSetUp: false })
t.teardown(async () => Promise.all([set.close(), fresh.close()]))
const { token } = await inviteOne(set.db, set.ids.ben, 'nora.lindqvist@larkfield.example')

const refused = {
  'shorter than 15': ['', 'x', 'fourteen-chars', '💥'.repeat(14)],
  'longer than 1,024': [`${'seven otters swim north '.repeat(43)}`],
  'among the commonest': [
    'passwordpassword',
    'Password12345678',
    'qwertyuiopasdfgh',
    '123456789012345',
    'letmeinletmein123'
  ],
  'one thing again and again': ['aaaaaaaaaaaaaaaa', 'abcabcabcabcabcabc', '               ', '1212121212121212'],
  'made of who is asking and where': ['larkfield-larkfield', 'Larkfield20242025', 'rollcall-larkfield-1']
}
/** Passwords of 15 and of 1,024 characters, in any script, with spaces: each is used completely. */
const taken = [
  'seven otters ok',
  `${'seven otters swim '.repeat(57)}`.slice(0, 1024),
  'сім видр пливуть',
  ' drei Otter, zwei Reiher '
]

t.test('S40: setup, joining and the profile refuse the same passwords, and store none of them', async t => {
  const ada = await set.browser('ada')
  const [visitor, owner] = [await set.browser(), await fresh.browser()]
  for (const [why, passwords] of Object.entries(refused))
    for (const password of passwords) {
      const answers = [
        await owner.post('/setup', { ...forms['/setup'], token: setupToken, password }),
        await visitor.post(`/join/${token}`, { name: 'Nora Lindqvist', password }),
        await ada.post('/me', { current_password: goodPassword, password })
      ]
      for (const { statusCode, body } of answers) {
        t.equal(statusCode, 422, `${why}: ${password.slice(0, 30)}`)
        t.match(body, 'href="#password"')
        if (password.trim()) t.notMatch(body, `value="${password}"`)
      }
    }
  t.equal((await visitor.post(`/join/${token}`, { name: 'Nora', password: 'nora.lindqvist1234' })).statusCode, 422)
})

t.test('S40: long and unusual passwords are used completely, down to the last character', async t => {
  for (const [index, password] of taken.entries()) {
    const email = `taken${index}@larkfield.example`
    const { token } = await inviteOne(set.db, set.ids.ben, email)
    const visitor = await set.browser()
    t.equal((await visitor.post(`/join/${token}`, { name: 'Nora', password })).statusCode, 303, password.slice(0, 20))
    const signIn = async (text: string) =>
      (await (await set.browser()).post('/sign-in', { email, password: text })).statusCode
    t.equal(await signIn(password), 303)
    t.equal(await signIn(password.slice(0, -1)), 422)
    t.equal(await signIn(password.toUpperCase()), 422)
  }
})

t.test('S40: only a salted argon2id hash is stored, with 19 MiB, two passes and one lane', async t => {
  const { hashes } = await one<{ hashes: string[] }>(
    set.db,
    sql`select array_agg(password_hash) as hashes from people where password_hash is not null`
  )
  t.ok(hashes.length >= 4)
  for (const hash of hashes) t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  const { n } = await one<{ n: number }>(
    set.db,
    sql`select count(distinct split_part(password_hash, '$', 5)) as n from people where email like 'taken%'`
  )
  t.equal(n, taken.length, 'every salt is its own')
})
