import t from 'tap'
import { addUser, type Browser, goodPassword, startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'

const { db, ids, browser, close } = await startApp()
t.teardown(close)

const newPassword = 'nine-herons-walk-south'
const row = (id: number) =>
  one<Record<string, unknown>>(db, sql`select name, theme, time_zone, shortcuts from people where id = ${id}`)
async function user(name: string): Promise<{ id: number; visitor: Browser; email: string }> {
  const id = await addUser(db, name, 'member')
  const [visitor, email] = [await browser(), `${name}@larkfield.example`]
  await visitor.post('/sign-in', { email, password: goodPassword })
  return { id, visitor, email }
}

t.test('each field of the profile is saved by itself and does not change the others', async t => {
  const { id, visitor } = await user('olga')
  const steps: [string, string, Record<string, unknown>][] = [
    ['name', ' Olga Lind ', { name: 'Olga Lind' }],
    ['theme', 'dark', { theme: 'dark' }],
    ['theme', 'light', { theme: 'light' }],
    ['time_zone', 'Europe/Berlin', { timeZone: 'Europe/Berlin' }],
    ['shortcuts', 'off', { shortcuts: false }],
    ['shortcuts', 'on', { shortcuts: true }],
    ['time_zone', '', { timeZone: null }]
  ]
  let expected = await row(id)
  for (const [name, value, changed] of steps) {
    t.match(await visitor.post('/me', { [name]: value }), { statusCode: 303, headers: { location: '/me' } })
    expected = { ...expected, ...changed }
    t.same(await row(id), expected, `${name}=${value}`)
  }
  t.match((await visitor.get('/me')).body, 'Saved.')
  t.notMatch((await visitor.get('/me')).body, 'Saved.', 'said once')
})

t.test('saved settings take effect: the theme, the time zone, and single-key shortcuts', async t => {
  const { visitor } = await user('pia')
  await visitor.post('/me', { name: 'Pia', theme: 'dark', time_zone: 'Pacific/Kiritimati', shortcuts: 'off' })
  const page = (await visitor.get('/me')).body
  t.match(page, /<html lang="en" data-theme="dark" data-shortcuts="off">/)
  t.match(page, 'value="Pacific/Kiritimati"')
  for (const part of ['Pia', 'pia@larkfield.example', 'This browser']) t.match(page, part)
})

t.test('an invalid value keeps the input and saves nothing', async t => {
  const { id, visitor } = await user('quinn')
  const before = await row(id)
  const wrong: Record<string, string[]> = {
    name: ['', '   ', 'x'.repeat(201), 'two\nlines', 'a\u0007bell'],
    theme: ['', 'blue', 'DARK'],
    time_zone: ['Mars/Olympus', 'Berlin', '<b>'],
    shortcuts: ['', 'yes', 'true']
  }
  for (const [name, values] of Object.entries(wrong))
    for (const value of values) {
      const typed = { name: 'Quinn & Co', theme: 'dark', time_zone: 'Europe/Paris', shortcuts: 'off', [name]: value }
      const answer = await visitor.post('/me', typed)
      t.equal(answer.statusCode, 422, `${name}=${value}`)
      t.match(answer.body, `href="#${name}"`, 'the summary leads to the field')
      if (name !== 'name') t.match(answer.body, 'value="Quinn &amp; Co"')
      if (name === 'time_zone') t.match(answer.body, `value="${value.replace('<b>', '&lt;b&gt;')}"`)
      t.same(await row(id), before)
    }
})

t.test('a new password needs the current one, and ends every other session of the user', async t => {
  const { visitor, email } = await user('rita')
  const elsewhere = await browser()
  await elsewhere.post('/sign-in', { email, password: goodPassword })
  const stolen = await browser()
  stolen.cookie = visitor.cookie

  const refused = await visitor.post('/me', { current_password: 'not-the-present-one', password: newPassword })
  t.equal(refused.statusCode, 422)
  t.match(refused.body, 'href="#current_password"')
  t.notOk(refused.body.includes(newPassword), 'passwords are not shown again')
  t.equal((await visitor.post('/me', { password: newPassword })).statusCode, 422)
  t.equal((await visitor.post('/me', { current_password: goodPassword })).statusCode, 422)
  t.equal((await elsewhere.get('/me')).statusCode, 200, 'nothing has ended so far')

  const answer = await visitor.post('/me', { current_password: goodPassword, password: newPassword })
  t.match(answer, { statusCode: 303, headers: { location: '/me' } })
  t.equal((await visitor.get('/me')).statusCode, 200)
  t.equal((await elsewhere.get('/me')).statusCode, 303)
  t.equal((await stolen.get('/me')).statusCode, 303, 'the cookie of before as well')
  t.equal((await (await browser()).post('/sign-in', { email, password: goodPassword })).statusCode, 422)
  t.equal((await (await browser()).post('/sign-in', { email, password: newPassword })).statusCode, 303)
})

t.test('users see their own sessions and can end one of them, but none of other users', async t => {
  const { id, visitor, email } = await user('sven')
  const phone = await browser()
  await phone.post('/sign-in', { email, password: goodPassword }, { 'user-agent': 'Mozilla/5.0 <b>Phone</b>' })
  const page = (await visitor.get('/me')).body
  t.notMatch(page, '<b>Phone</b>')
  const [, session] = /action="\/me\/sessions\/(\d+)\/end"/.exec(page)!
  t.equal(page.match(/\/me\/sessions\/\d+\/end/g)?.length, 1, 'this browser is ended by signing out')
  const dan = await browser('dan')
  t.equal((await dan.post(`/me/sessions/${session}/end`)).statusCode, 404, 'S23: sessions of other users are not found')
  t.equal((await phone.get('/me')).statusCode, 200)
  t.match(await visitor.post(`/me/sessions/${session}/end`), { statusCode: 303, headers: { location: '/me' } })
  t.equal((await phone.get('/me')).statusCode, 303)
  t.equal((await visitor.post(`/me/sessions/${session}/end`)).statusCode, 404)
  t.ok(id)
})

t.test('a member sees their own profile and nothing of the console', async t => {
  const dan = await browser('dan')
  const page = (await dan.get('/me')).body
  for (const href of ['/people', '/invite', '/bulk', '/batches', '/activity', '/settings/organization', '/outbox', '/'])
    t.notMatch(page, `href="${href}"`)
  t.ok(ids.dan)
})

t.test('the organization’s continue link is on every profile once it is set', async t => {
  const ada = await browser('ada')
  t.notMatch((await ada.get('/me')).body, 'Continue to')
  const fields = { organization: 'Larkfield', domains: 'larkfield.example', invitation_days: '14' }
  await ada.post('/settings/organization', {
    ...fields,
    continue_url: 'https://intranet.larkfield.example/start?a=1&b=2'
  })
  const page = (await (await browser('dan')).get('/me')).body
  t.match(page, 'href="https://intranet.larkfield.example/start?a=1&amp;b=2"')
  t.match(page, 'Continue to Larkfield')
})

t.test('a name that comes from the directory is shown, and can be changed only there', async t => {
  const { id, visitor } = await user('nadia')
  await db.execute(sql`update people set directory_id = 'entry-nadia', name = ' Nadia  Kept' where id = ${id}`)
  t.match((await visitor.get('/me')).body, / name="name"[^>]* value=" Nadia {2}Kept" readonly/)
  t.equal((await visitor.post('/me', { name: ' Nadia  Kept', theme: 'dark' })).statusCode, 303)
  const refused = await visitor.post('/me', { name: 'Ada Byrne', theme: 'light' })
  t.equal(refused.statusCode, 422)
  t.match(refused.body, 'comes from your organization’s directory. Change it there.')
  t.match(await row(id), { name: ' Nadia  Kept', theme: 'dark' })
  await db.execute(sql`update people set directory_id = null where id = ${id}`)
  t.equal((await visitor.post('/me', { name: 'Nadia Own' })).statusCode, 303)
  t.match(await row(id), { name: 'Nadia Own' })
})
