/** Settings › Sign-in: the organization's provider, from the first save to passwords for owners only. */
import t from 'tap'
import { openClientSecret } from '../../src/oidc/settings.ts'
import { readProviderRows } from '../../src/oidc/settings-store.ts'
import { type Browser, baseUrl, secretKey, startApp } from '../support/app.ts'
import { addGroup } from '../support/groups.ts'
import { one, sql } from '../support/people.ts'
import { startProvider, throughProvider } from '../support/provider.ts'
import { everyRow } from '../support/rows.ts'

const path = '/settings/sign-in'
const provider = await startProvider({ baseUrl })
t.teardown(provider.close)
const { db, config, browser, ids, close } = await startApp()
t.teardown(close)
let ada = await browser('ada')
const connection = {
  oidc_issuer: provider.issuer,
  oidc_client_id: provider.clientId,
  oidc_client_secret: provider.clientSecret
}
const rows = () => readProviderRows(db)
const newest = () =>
  one<{ details: Record<string, unknown> }>(
    db,
    sql`select details from events where kind = 'sign-in-settings-changed' order by id desc limit 1`
  )
const countEvents = async () =>
  (await one<{ n: number }>(db, sql`select count(*)::int as n from events where kind = 'sign-in-settings-changed'`)).n

/** From a link of Rollcall over the provider and back. */
async function over(visitor: Browser, start: string) {
  const left = await visitor.get(start)
  t.equal(left.statusCode, 303, left.body)
  const back = await throughProvider(left.headers.location ?? '', baseUrl)
  return visitor.get(back.pathname + back.search)
}

t.test('changed settings wait for a test and for an owner; nothing else is in force before', async t => {
  const page = await ada.get(path)
  t.match(page.body, 'data-provider="off"')
  t.match(page.body, `value="${baseUrl}/sign-in/oidc/callback"`)
  t.match(page.body, `value="${baseUrl}/sign-in/oidc/logout"`)
  t.notMatch(page.body, 'href="/settings/sign-in/test"')

  const saved = await ada.post(path, {
    ...connection,
    oidc_issuer: `${provider.issuer}/.well-known/openid-configuration`
  })
  t.match(saved, { statusCode: 303, headers: { location: path } })
  t.match((await ada.get(path)).body, 'data-waits="test"')
  t.match(await rows(), { inForce: undefined, candidate: { issuer: provider.issuer, testedAt: null } })
  t.equal((await (await browser()).get('/sign-in/oidc')).statusCode, 404, 'not in force')
  t.match((await newest()).details, {
    oidc_issuer: { before: '', after: provider.issuer },
    oidc_client_secret: 'changed'
  })

  const early = await ada.post(path, { oidc: 'on' })
  t.equal(early.statusCode, 422)
  t.match(early.body, /Test sign-in/)
  t.equal((await ada.post(path, connection)).statusCode, 303, 'saved again, but not tested')
  t.notOk((await rows()).inForce)
})

t.test('S15: the secret is sealed for its row, client and issuer, and no page or event has it', async t => {
  const { candidate } = await rows()
  if (!candidate) throw new Error('no candidate')
  t.equal(openClientSecret([secretKey], candidate), provider.clientSecret)
  t.equal(openClientSecret([Buffer.alloc(32, 9)], candidate), undefined, 'another key')
  for (const other of [
    { ...candidate, id: 1 },
    { ...candidate, clientId: 'another' },
    { ...candidate, issuer: 'https://rogue.example', secretFor: 'https://rogue.example' },
    { ...candidate, issuer: 'https://rogue.example' }
  ])
    t.equal(openClientSecret([secretKey], other), undefined, 'swapped into another row')
  const written = Buffer.from(provider.clientSecret).toString('hex')
  t.notOk((await everyRow(db)).some(row => row.includes(provider.clientSecret) || row.includes(written)))
  for (const url of [path, '/activity', '/activity.csv']) t.notMatch((await ada.get(url)).body, provider.clientSecret)
})

t.test('S13: another issuer or client asks for the secret again, and never gets it', async t => {
  const before = await rows()
  const rogue = await startProvider({ baseUrl })
  t.teardown(rogue.close)
  for (const other of [{ oidc_issuer: rogue.issuer }, { oidc_client_id: 'another' }]) {
    const answer = await ada.post(path, { ...connection, oidc_client_secret: '', ...other })
    t.equal(answer.statusCode, 422)
    t.match(answer.body, 'Enter the client secret again')
    t.match(answer.body, `value="${Object.values(other)[0]}"`, 'what was typed stays')
  }
  t.same(rogue.asked, [])
  t.same(await rows(), before)
})

t.test('unusable values are refused in words, and nothing is saved', async t => {
  const before = await everyRow(db)
  for (const [name, value, words] of [
    ['oidc_issuer', 'http://login.example.org', 'must start with https://'],
    ['oidc_issuer', 'https://login.microsoftonline.com/common/v2.0', 'tenant’s ID'],
    ['oidc_issuer', 'nonsense', 'must be a URL'],
    ['oidc_client_id', '', 'Enter the client ID'],
    ['oidc_algorithm', 'HS256', 'Choose one'],
    ['oidc_algorithm', 'none', 'Choose one'],
    ['oidc_join', 'all', 'Choose who may join'],
    ['oidc_trusted_domains', 'larkfield.example, gmail.example', 'Not a domain of your organization: gmail.example'],
    ['oidc_teams', 'a = Unknown', 'Line 1: there is no team “Unknown”'],
    ['oidc_teams', '\n\nonly a value', 'Line 3: write it like value = team'],
    ['ldap', 'maybe', 'Choose on or off'],
    ['passwords', 'nobody', 'Choose who may use a password'],
    ['second_factor', 'some', 'Choose who needs'],
    ['oidc', 'perhaps', 'Choose on or off']
  ] as const) {
    const answer = await ada.post(path, { ...connection, oidc_groups_claim: 'groups', [name]: value })
    t.equal(answer.statusCode, 422, `${name}=${value}`)
    t.match(answer.body, words)
    t.match(answer.body, `href="#${name}"`)
    t.notMatch(answer.body, provider.clientSecret)
  }
  t.equal((await ada.post(path, { unknown: 'field' })).statusCode, 400)
  t.equal((await ada.post(path, { passwords: ['owners', 'owners'] })).statusCode, 400)
  t.same(await everyRow(db), before)
})

t.test('after a test with these very settings, saving them once more turns the provider on', async t => {
  provider.signsIn('sub-ada', { email: 'ada@larkfield.example', email_verified: true, name: 'Ada' })
  const tested = await over(ada, '/settings/sign-in/test')
  t.equal(tested.statusCode, 200, tested.body)
  t.match(tested.body, 'The test succeeded')
  t.match((await ada.get(path)).body, 'data-waits="on"')
  t.notOk((await rows()).inForce, 'a test alone turns nothing on')
  t.equal((await ada.post(path, { second_factor: 'off' })).statusCode, 303)
  t.notOk((await rows()).inForce, 'nor does another setting')
  const { testedAt } = (await rows()).candidate ?? {}
  t.ok(testedAt)

  t.equal((await ada.post(path, connection)).statusCode, 303)
  t.match(await rows(), { inForce: { issuer: provider.issuer }, candidate: undefined })
  t.same((await newest()).details, { oidc: { before: 'off', after: 'on' } })
  t.match((await ada.get(path)).body, 'data-provider="on"')
  const text = (await ada.get('/activity?kind=sign-in-settings-changed')).body
  t.match(text, 'changed the sign-in settings: sign-in with the provider from “off” to “on”')
  const count = await countEvents()
  t.equal((await ada.post(path, connection)).statusCode, 303)
  t.equal(await countEvents(), count, 'no change, no event')
})

t.test('passwords are limited only by an owner whose session came over this provider', async t => {
  const refused = await ada.post(path, { passwords: 'owners' })
  t.equal(refused.statusCode, 422)
  t.match(refused.body, /Sign out, sign in again with your organization’s account/)

  const visitor = await browser()
  const entered = await over(visitor, '/sign-in/oidc')
  t.equal(entered.statusCode, 303, entered.body)
  t.equal((await visitor.post(path, { passwords: 'owners' })).statusCode, 303)
  t.match(await one(db, sql`select passwords from sign_in_settings`), { passwords: 'owners' })
  t.match((await visitor.get(path)).body, 'data-passwords="owners"')

  const off = await visitor.post(path, { oidc: 'off' })
  t.equal(off.statusCode, 422)
  t.match(off.body, 'Allow passwords for everybody')
  t.ok((await rows()).inForce)

  // linking an account ends the sessions before it
  ada = await browser('ada')
  await db.execute(sql`update people set role = 'owner' where id = ${ids.ben}`)
  await visitor.post(path, { passwords: 'everybody' })
  const ben = await browser('ben')
  t.equal((await ben.post(path, { passwords: 'owners' })).statusCode, 422, 'another owner, by password')
  await db.execute(sql`update people set role = 'admin' where id = ${ids.ben}`)
})

t.test('other settings apply at once: words, domains, joining, teams, rules', async t => {
  const team = 'Platform'
  await addGroup(db, team)
  const changed = {
    oidc_name: 'Sign in with Larkfield',
    oidc_trusted_domains: 'Larkfield.Example',
    oidc_join: 'domains',
    oidc_groups_claim: 'groups',
    oidc_teams: `cn=platform,ou=groups = ${team.toUpperCase()}\r\nplain=${team}`,
    ldap: 'on',
    second_factor: 'admins'
  }
  t.equal((await ada.post(path, changed)).statusCode, 303)
  t.match((await rows()).inForce, {
    name: 'Sign in with Larkfield',
    trustedDomains: ['larkfield.example'],
    joining: 'domains',
    groupsClaim: 'groups',
    teams: [
      { value: 'cn=platform,ou=groups', team },
      { value: 'plain', team }
    ]
  })
  t.match((await (await browser()).get('/sign-in')).body, 'Sign in with Larkfield')
  t.match((await newest()).details, {
    oidc_join: { before: 'invited', after: 'domains' },
    ldap: { before: 'off', after: 'on' }
  })
  t.equal((await ada.post(path, { oidc_join: 'invited' })).statusCode, 303)
  t.match((await rows()).inForce, { joining: 'invited', groupsClaim: 'groups' }, 'the others stay')
  await ada.post(path, { ldap: 'off', second_factor: 'off' })
})

t.test(
  'other settings for a provider in force are a candidate; “off” keeps the settings, and blank ones remove them',
  async t => {
    const other = { ...connection, oidc_algorithm: 'ES256' }
    t.equal((await ada.post(path, other)).statusCode, 303)
    t.match(await rows(), { inForce: { algorithm: 'RS256' }, candidate: { algorithm: 'ES256', testedAt: null } })
    t.equal((await ada.post(path, { ...other, oidc: 'on' })).statusCode, 422)
    t.equal((await ada.post(path, { ...connection, oidc_algorithm: 'RS256' })).statusCode, 303, 'back')
    t.match(await rows(), { inForce: { algorithm: 'RS256' }, candidate: undefined })

    t.equal((await ada.post(path, { oidc_issuer: '', oidc_client_id: '' })).statusCode, 422, 'in force')
    t.equal((await ada.post(path, { oidc: 'off' })).statusCode, 303)
    t.match(await rows(), { inForce: undefined, candidate: { issuer: provider.issuer } })
    t.same((await newest()).details, { oidc: { before: 'on', after: 'off' } })
    t.equal((await ada.post(path, { oidc: 'on' })).statusCode, 303, 'these very settings were tested')
    t.ok((await rows()).inForce)
    await ada.post(path, { oidc: 'off' })
    t.equal((await ada.post(path, { oidc_issuer: '', oidc_client_id: '' })).statusCode, 303)
    t.same(await rows(), {})
  }
)

t.test('what the environment sets is shown and locked', async t => {
  const set = await startApp({
    environment: { ...provider.environment, OIDC_NAME: 'By the operator', LDAP_SIGN_IN: 'on' }
  })
  t.teardown(set.close)
  const owner = await set.browser('ada')
  const page = (await owner.get(path)).body
  for (const name of ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_NAME', 'LDAP_SIGN_IN'])
    t.match(page, name)
  t.notMatch(page, provider.clientSecret)
  t.notMatch(page, 'name="oidc_issuer"')
  const wrongs: Record<string, string>[] = [
    { oidc_issuer: 'https://other.example' },
    { oidc_client_id: 'other' },
    { oidc_client_secret: 'other' },
    { oidc_name: 'Other' },
    { ldap: 'off' },
    { oidc: 'off' }
  ]
  for (const wrong of wrongs) {
    const answer = await owner.post(path, wrong)
    t.equal(answer.statusCode, 422, JSON.stringify(wrong))
    t.match(answer.body, /This is set by (OIDC|LDAP)_\w+ in the environment/)
  }
  t.equal(
    (await owner.post(path, { ...connection, ldap: 'on', oidc_join: 'domains' })).statusCode,
    303,
    'the same values'
  )
  t.match(await readProviderRows(set.db), { inForce: { joining: 'domains', clientSecret: null, testedAt: null } })
  t.equal((await owner.post(path, { oidc_trusted_domains: 'larkfield.example' })).statusCode, 303)
  t.ok(config)
})
