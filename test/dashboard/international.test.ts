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
  'row 24: an internationalized domain is readable on every page, found in every spelling, mailed in ASCII',
  async t => {
    const id = await upload(ben, ['jo@müller.example', 'Ola <ola@MÜLLER.example>', 'kim@muller.example', `al@${ascii}`])
    const transport = takesAll()
    await work(transport)
    t.same(transport.recipients.toSorted(), [`al@${ascii}`, `jo@${ascii}`])
    t.match(await countsOf(db, id), { lines: { invite: 2, malformed: 1, foreign: 1 } })
    const [jo] = await db.$client`select id::int from people where email = ${`jo@${ascii}`}`
    const pages = ['/', '/people', `/people/${jo!.id}`, `/batches/${id}`, '/batches', '/activity', '/invite', '/bulk']
    for (const page of pages) t.notMatch((await ben.get(page)).body, 'xn--', page)
    t.match((await ben.get(`/people/${jo!.id}`)).body, 'jo@müller.example')
    const report = (await ben.get(`/batches/${id}`)).body
    t.match(report, 'Did you mean müller.example?')
    t.match(report, 'value="ola@müller.example"')
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
    for (const q of ['müller', 'mu\u0308ller'])
      t.match((await ben.get(`/batches/${id}?q=${encodeURIComponent(q)}`)).body, 'jo@müller.example')
    const typed = await ben.post('/invite', { email: 'eva@müler.example' })
    t.match(typed.body, 'müler.example is not one of your domains. Did you mean müller.example?')
    t.match(
      (await ben.get('/people.csv')).body,
      `jo@${ascii}`,
      'tables for other programs keep the form that is mailed'
    )
  }
)
