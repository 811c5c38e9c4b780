import t from 'tap'
import { goodPassword, setupToken, startApp } from '../support/app.ts'
import { tagsOf } from '../support/html.ts'
import { inviteOne, one, sql } from '../support/people.ts'

const { db, ids, browser, close } = await startApp()
const fresh = await startApp({ isSetUp: false })
t.teardown(() => Promise.all([close(), fresh.close()]))
const ada = await browser('ada')

const unseen = ['\u200b', '\u2060', '\u3164', '\u00ad\u00ad', '\u202e', '\u2800', '\ufe0f', '\u00a0\u200b']
const turned = '\u202egnitteB\u202c Ada\u200f'

t.test('F15: a name without visible characters is refused in every form', async t => {
  const { token } = await inviteOne(db, ids.ada, 'unseen@larkfield.example')
  const visitor = await browser()
  const settings = { domains: 'larkfield.example', continue_url: '', invitation_days: '14' }
  for (const name of unseen) {
    const seen = encodeURIComponent(name)
    t.equal((await ada.post('/me', { name })).statusCode, 422, `/me ${seen}`)
    t.equal((await ada.post('/teams', { name })).statusCode, 422, `/teams ${seen}`)
    t.equal((await ada.post('/settings/organization', { ...settings, organization: name })).statusCode, 422, seen)
    t.equal((await visitor.post(`/join/${token}`, { name, password: goodPassword })).statusCode, 422, seen)
    const setup = { token: setupToken, organization: 'Larkfield', domains: 'larkfield.example', name: 'Ada' }
    const owner = { email: 'ada@larkfield.example', password: goodPassword }
    for (const wrong of [{ name }, { organization: name }])
      t.equal((await (await fresh.browser()).post('/setup', { ...setup, ...owner, ...wrong })).statusCode, 422, seen)
  }
})

t.test('F15: characters that reverse the text after them are removed from names', async t => {
  const made = await ada.post('/teams', { name: turned })
  const team = made.headers.location!
  t.match(await one(db, sql`select name from teams where id = ${team.split('/').at(-1)}`), { name: 'gnitteB Ada' })
  t.equal((await ada.post(`${team}/name`, { name: '\u200b' })).statusCode, 422)
  t.equal((await ada.post('/me', { name: turned })).statusCode, 303)
  t.match(await one(db, sql`select name from people where id = ${ids.ada}`), { name: 'gnitteB Ada' })
  const links = tagsOf((await ada.get('/people')).body).filter(({ name }) => name === 'a')
  t.ok(links.length > 0)
  t.notMatch((await ada.get('/people')).body, /[\u202a-\u202e\u2066-\u2069]/)
})

t.test('F16: a time zone that PostgreSQL would read differently is refused; all others work for any day', async t => {
  for (const time_zone of ['+0530', '+05:00', '-08:00', 'Mars/Olympus', 'UTC+5', '<b>'])
    t.equal((await ada.post('/me', { time_zone })).statusCode, 422, time_zone)
  for (const time_zone of [
    'america/new_york',
    'Etc/GMT+5',
    'Asia/Calcutta',
    'US/Pacific',
    'UTC',
    'EST5EDT',
    ' Europe/Berlin ',
    '',
    ' '
  ]) {
    t.equal((await ada.post('/me', { time_zone })).statusCode, 303, time_zone)
    t.equal((await ada.get('/activity?from=2026-03-29&to=2026-10-25')).statusCode, 200, time_zone)
  }
  t.match(await one(db, sql`select time_zone from people where id = ${ids.ada}`), { timeZone: null })
})

t.test('F16: an offset stored before counts as it reads, in the CSV as on the page', async t => {
  for (const zone of ['+0530', '+05:00', '-08:00', 'No/Where']) {
    await db.execute(sql`update people set time_zone = ${zone} where id = ${ids.ada}`)
    const today = new Date().toISOString().slice(0, 10)
    for (const query of ['from=2000-01-01', `from=2000-01-01&to=${today.replace(/^\d+/, '2999')}`]) {
      t.equal((await ada.get(`/activity?${query}`)).statusCode, 200, zone)
      const lines = (await ada.get(`/activity.csv?${query}`)).body.split('\r\n')
      const { n } = await one<{ n: number }>(db, sql`select count(*) as n from events`)
      t.equal(lines.length - 2, n, zone)
    }
  }
})
