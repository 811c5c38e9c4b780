import t from 'tap'
import { startApp } from '../support/app.ts'
import { countsOf, upload } from '../support/batches.ts'
import { takesAll } from '../support/transports.ts'

const { db, browser, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
const ascii = 'xn--mller-kva.example'
await db.$client`insert into domains (name) values (${ascii})`

t.test(
  'E24: an internationalized domain is readable on every page, found in every spelling, emailed in ASCII',
  async t => {
    const id = await upload(ben, ['jo@müller.example', 'Ola <ola@MÜLLER.example>', 'kim@muller.example', `al@${ascii}`])
    const transport = takesAll()
    await work(transport)
    t.same(transport.recipients.toSorted(), [`al@${ascii}`, `jo@${ascii}`])
    t.match(await countsOf(db, id), { lines: { invite: 2, malformed: 1, foreign: 1 } })
    const [jo] = await db.$client`select id from people where email = ${`jo@${ascii}`}`
    const pages = ['/', '/people', `/people/${jo!.id}`, `/batches/${id}`, '/batches', '/activity', '/invite', '/bulk']
    for (const page of pages) t.notMatch((await ben.get(page)).body, 'xn--', page)
    t.match((await ben.get(`/people/${jo!.id}`)).body, 'jo@müller.example')
    const report = (await ben.get(`/batches/${id}`)).body
    t.match(report, 'Did you mean müller.example?')
    t.match(report, 'value="ola@müller.example"')
    const found = async (page: string, q: string) => (await ben.get(`${page}?q=${encodeURIComponent(q)}`)).body
    for (const q of ['mü', 'mül', 'üller', 'jo@mül', 'JO@MÜL', 'jo@mu\u0308', 'xn--mll']) {
      t.match(await found('/people', q), 'jo@müller.example', q)
      t.match(await found(`/batches/${id}`, q), 'jo@müller.example', q)
    }
    t.match(await found(`/batches/${id}`, 'al@mül'), `al@müller.example`, 'a line that said xn--')
    t.notMatch(await found('/people', 'kim@mül'), 'müller.example')
    for (const q of [
      'müller',
      'MÜLLER',
      'mu\u0308ller',
      'xn--mller',
      'jo@müller.ex',
      'jo@mu\u0308\u200bller.example'
    ]) {
      const { body } = await ben.get(`/people?q=${encodeURIComponent(q)}`)
      t.match(body, 'jo@müller.example', q)
    }
    for (const q of ['müller', 'mu\u0308ller']) t.match(await found(`/batches/${id}`, q), 'jo@müller.example')
    const typed = await ben.post('/invite', { email: 'eva@müler.example' })
    t.match(typed.body, 'müler.example is not one of your domains. Did you mean müller.example?')
    t.match(
      (await ben.get('/people.csv')).body,
      `jo@${ascii}`,
      'tables for other programs keep the form that is mailed'
    )
  }
)

t.test('team members and directory addresses are found by a part of a readable domain', async t => {
  const [team] = await db.$client`insert into teams (name, source) values ('Choir', 'hand') returning id`
  const [eva] = await db.$client`
    insert into people (email, address_key, name, directory_mail, directory_mail_key)
    values ('eva@larkfield.example', 'eva@larkfield.example', 'Eva', 'eva@xn--grn-ioa.example', 'eva@xn--grn-ioa.example')
    returning id`
  const [jo] = await db.$client`select id from people where address_key = ${`jo@${ascii}`}`
  for (const person of [eva, jo])
    await db.$client`insert into memberships (team_id, person_id, source) values (${team!.id}, ${person!.id}, 'hand')`
  const found = async (q: string) => (await ben.get(`/teams/${team!.id}?q=${encodeURIComponent(q)}`)).body
  t.match(await found('jo@mül'), `href="/people/${jo!.id}"`)
  t.match(await found('grün'), `href="/people/${eva!.id}"`, 'the address that the directory has')
  t.notMatch(await found('grün'), `href="/people/${jo!.id}"`)
  t.match((await ben.get(`/people?q=${encodeURIComponent('va@grü')}`)).body, 'Eva')
  await db.$client`update people set directory_mail = null, directory_mail_key = null where id = ${eva!.id}`
  t.notMatch(await found('grün'), `href="/people/${eva!.id}"`)
})

t.test('a decomposed name or line is found by the composed spelling, and vice versa', async t => {
  await db.$client`
    insert into people (email, address_key, name) values ('z@larkfield.example', 'z@larkfield.example', ${'Zoë'.normalize('NFD')})`
  const id = await upload(ben, [`Zoë Mörike <zoe@larkfield.example>`.normalize('NFD')], { action: 'check' })
  await work(takesAll())
  for (const form of ['NFC', 'NFD']) {
    const q = (text: string) => encodeURIComponent(text.normalize(form))
    t.match((await ben.get(`/people?q=${q('Zoë')}`)).body, 'z@larkfield.example', form)
    t.match((await ben.get(`/batches/${id}?q=${q('Mörike')}`)).body, 'zoe@larkfield.example', form)
  }
})
