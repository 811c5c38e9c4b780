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

const newest = (kind: string) =>
  one<{ details: unknown }>(db, sql`select details from events where kind = ${kind} order by id desc limit 1`)
const countOf = async (kind: string) =>
  (await one<{ n: number }>(db, sql`select count(*)::int as n from events where kind = ${kind}`)).n

t.test('the organization’s time zone is one that exists, and stays when it is not sent', async t => {
  await ada.post('/settings/organization', { ...fields, time_zone: 'Europe/Berlin' })
  t.match(await one(db, sql`select time_zone from settings`), { timeZone: 'Europe/Berlin' })
  await ada.post('/settings/organization', fields)
  t.match(await one(db, sql`select time_zone from settings`), { timeZone: 'Europe/Berlin' })
  const wrong = await ada.post('/settings/organization', { ...fields, time_zone: 'Moon/Crater' })
  t.equal(wrong.statusCode, 422)
  t.match(wrong.body, 'href="#time_zone"')
})

t.test(
  'a change of settings is one event with both values of what changed, and one without a change is none',
  async t => {
    const changed = { ...fields, organization: 'Larkfield Ltd', domains: 'larkfield.example other.example' }
    await ada.post('/settings/organization', changed)
    t.same((await newest('organization-changed')).details, {
      organization: { before: 'Larkfield', after: 'Larkfield Ltd' },
      domains: { before: 'larkfield.example', after: 'larkfield.example\nother.example' }
    })
    const before = await countOf('organization-changed')
    await ada.post('/settings/organization', changed)
    t.equal(await countOf('organization-changed'), before)

    const mail = { mails_per_second: '20', mails_per_second_per_domain: '', keep_lines_days: '30' }
    t.equal((await ada.post('/settings/mail', mail)).statusCode, 303)
    t.equal((await ada.post('/settings/mail', { mails_per_second_per_domain: '5' })).statusCode, 303)
    t.equal((await ada.post('/settings/mail', mail)).statusCode, 303)
    t.same((await newest('mail-settings-changed')).details, {
      mails_per_second_per_domain: { before: 5, after: null }
    })
    t.equal(await countOf('mail-settings-changed'), 3)
    const page = (await ada.get('/activity?kind=mail-settings-changed')).body
    t.match(page, 'changed the email settings: emails per second to each domain from “5” to nothing')
    t.match(page, 'days that addresses in reports are kept from “90” to “30”, emails per second from nothing to “20”')
    t.match(
      (await ada.get('/activity?kind=organization-changed')).body,
      'email domains: from “larkfield.example” to “larkfield.example, other.example”'
    )
  }
)
