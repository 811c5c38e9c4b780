/** Sign-in with the organization's account in a real browser: there, back, and out again on both sides. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { findingsOf, type Site, startSite } from '../support/browser.ts'
import { inviteOne, linkOf } from '../support/people.ts'
import { startProvider, type TestProvider } from '../support/provider.ts'
import { putInForce, verified } from '../support/sso.ts'

const at = (name: string) => `${name}@larkfield.example`
const groupsClaim = { groupsClaim: 'groups', teams: [{ value: 'g-nurses', team: 'Nurses' }] }

async function startBoth(t: Test) {
  const site = await startSite()
  t.teardown(site.close)
  const provider = await startProvider({ baseUrl: site.baseUrl, asks: true })
  t.teardown(provider.close)
  await putInForce(site.db, provider, groupsClaim)
  for (const name of ['ada', 'ben', 'dan', 'kim', 'lea', 'stranger'])
    provider.accounts.set(`sub-${name}`, verified(at(name), { name: `${name}, at the provider`, groups: ['g-nurses'] }))
  provider.accounts.set('sub-silent', { name: 'Without an address' })
  await site.db.$client`insert into teams (name, source) values ('Nurses', 'hand')`
  return { site, provider }
}

/** From a link of Rollcall over the provider's page back to Rollcall. */
async function choose(page: Page, name: string) {
  await page.locator('[data-provider]').click()
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor()
  await page.locator(`button[value="sub-${name}"]`).click()
  await page.locator('main').waitFor()
}

for (const javaScriptEnabled of [true, false])
  t.test(`sign in, invite, join and sign out, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async t => {
    const { site, provider } = await startBoth(t)
    const open = () => site.open({ javaScriptEnabled })
    const ben = await open()
    await ben.goto('/people?status=invited')
    await choose(ben, 'ben')
    t.equal(
      new URL(ben.url()).pathname + new URL(ben.url()).search,
      '/people?status=invited',
      'where they wanted to go'
    )

    await ben.goto('/invite')
    await ben.locator('#email-1').fill(at('kim'))
    await ben.getByRole('button', { name: 'Send invitations' }).click()
    await ben.locator('main[data-batch-state]').waitFor()
    await joins(t, site, await open())
    await signsOutHere(t, ben)
    await signedOutThere(t, site, provider, await open())

    const stranger = await open()
    await stranger.goto('/sign-in')
    await choose(stranger, 'stranger')
    await stranger.getByRole('heading', { name: 'You are not invited yet' }).waitFor()
    t.same(site.faults, [], 'S17: no error and nothing that the policy had to stop')
  })

async function joins(t: Test, { db }: Site, kim: Page) {
  const { token } = await linkOf(db, at('kim'))
  await kim.goto(`/join/${token}`)
  await choose(kim, 'kim')
  t.equal(new URL(kim.url()).pathname, '/me')
  const teams = await db.$client`select t.name, m.source from memberships m join teams t on t.id = m.team_id
    join people p on p.id = m.person_id where p.email = ${at('kim')}`
  t.same(teams, [{ name: 'Nurses', source: 'sign-in' }], 'the claim leads into the team')
}

/** Signing out by a form leads to the provider, which asks and leads back. */
async function signsOutHere(t: Test, page: Page) {
  // the batch's page reloads itself at any moment, which interrupts leaving it
  await page.goto('/me').catch(() => page.goto('/me'))
  const button = page.getByRole('button', { name: 'Sign out' })
  if (!(await button.first().isVisible())) await page.locator('.who').click()
  await button.first().click()
  await page.waitForURL(/\/session\/end/)
  await page.locator('button[value="yes"]').click()
  await page.waitForURL(/\/sign-in$/)
  await page.goto('/me')
  t.match(page.url(), '/sign-in?next=%2Fme', 'signed out of Rollcall')
  await page.locator('[data-provider]').click()
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor()
}

/** Signing out at the provider ends the session here, by the back channel. */
async function signedOutThere(t: Test, _site: Site, provider: TestProvider, page: Page) {
  await page.goto('/sign-in')
  await choose(page, 'dan')
  t.equal(new URL(page.url()).pathname, '/me')
  const here = page.url()
  await page.goto(`${provider.issuer}/session/end`)
  await page.locator('button[value="yes"]').click()
  await page.waitForLoadState()
  await page.goto(here)
  t.match(page.url(), '/sign-in?next=')
}

t.test('the pages are usable in both themes and at both widths', async t => {
  const { site } = await startBoth(t)
  const page = await site.open()
  await page.goto('/sign-in')
  t.same(await findingsOf(page), [])
  const { token } = await inviteOne(site.db, site.ids.ben, at('lea'))
  await page.goto(`/join/${token}`)
  t.same(await findingsOf(page), [])
  for (const [name, heading] of [
    ['stranger', 'You are not invited yet'],
    ['silent', 'Your account has no email address']
  ] as const) {
    const other = await site.open()
    await other.goto('/sign-in')
    await choose(other, name)
    await other.getByRole('heading', { name: heading }).waitFor()
    t.same(await findingsOf(other), [])
  }
  const ada = await site.open()
  await site.signIn(ada, 'ada')
  await ada.goto('/settings/sign-in/test')
  await ada.locator('button[value="sub-ada"]').click()
  await ada.getByRole('heading', { name: 'The test succeeded' }).waitFor()
  t.same(await findingsOf(ada), [])
  t.same(site.faults, [])
})
