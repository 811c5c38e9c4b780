import t from 'tap'
import { startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'

const { db, browser, close } = await startApp()
t.teardown(close)
const ada = await browser('ada')
const fields = { organization: 'Larkfield', domains: 'larkfield.example', continue_url: '', invitation_days: '14' }
const saved = () =>
  one<Record<string, unknown>>(
    db,
    sql`select organization, continue_url, invitation_days,
      (select array_agg(name order by name) from domains) as domains from settings`
  )

t.test('the settings open with the organization', async t => {
  t.match(await ada.get('/settings'), { statusCode: 303, headers: { location: '/settings/organization' } })
})

t.test('an owner changes the organization’s name, domains, continue link and invitation period', async t => {
  const changed = {
    ...{
      organization: ' Larkfield & Söhne ',
      domains: 'larkfield.example\nLARKFIELD.example, neu.example;alt.example'
    },
    ...{ continue_url: ' https://intranet.larkfield.example ', invitation_days: '30' }
  }
  const answer = await ada.post('/settings/organization', changed)
  t.match(answer, { statusCode: 303, headers: { location: '/settings/organization' } })
  t.same(await saved(), {
    ...{ organization: 'Larkfield & Söhne', continueUrl: 'https://intranet.larkfield.example', invitationDays: 30 },
    domains: ['alt.example', 'larkfield.example', 'neu.example']
  })
  const page = (await ada.get('/settings/organization')).body
  for (const words of ['Saved.', 'value="Larkfield &amp; Söhne"', 'neu.example', 'value="30"']) t.match(page, words)
  t.match(await one(db, sql`select count(*) as n from events where kind = 'organization-changed'`), { n: 1 })
})

t.test('saved settings apply from the next invitation on', async t => {
  await ada.post('/settings/organization', { ...fields, domains: 'neu.example', invitation_days: '3' })
  t.equal((await ada.post('/invite', { email: 'old@larkfield.example' })).statusCode, 422)
  t.equal((await ada.post('/invite', { email: 'new@neu.example' })).statusCode, 303)
  const days = sql`select round(extract(epoch from expires_at - created_at) / 86400) as days from invitations`
  t.match(await one(db, days), { days: 3 })
})

t.test('an invalid value keeps the input and saves nothing', async t => {
  const before = await saved()
  const wrong: [string, string][] = [
    ['organization', ''],
    ['organization', 'x'.repeat(201)],
    ['domains', ''],
    ['domains', 'not a domain!'],
    ['domains', Array.from({ length: 1001 }, (_, index) => `d${index}.example`).join(' ')],
    ['continue_url', 'javascript:alert(1)'],
    ['continue_url', 'ftp://larkfield.example'],
    ['continue_url', 'larkfield.example'],
    ['continue_url', '//larkfield.example'],
    ['invitation_days', ''],
    ['invitation_days', '0'],
    ['invitation_days', '31'],
    ['invitation_days', '1.5'],
    ['invitation_days', '-1'],
    ['invitation_days', '1e1']
  ]
  for (const [name, value] of wrong) {
    const typed = { ...fields, organization: 'Typed & kept', [name]: value }
    const answer = await ada.post('/settings/organization', typed)
    t.equal(answer.statusCode, 422, `${name}=${value.slice(0, 30)}`)
    t.match(answer.body, `href="#${name}"`)
    if (name !== 'organization') t.match(answer.body, 'value="Typed &amp; kept"')
    t.same(await saved(), before)
  }
})
