/** Every page in both themes and at both widths: axe finds nothing, no text is cut off, 320 pixels are enough. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { revoke } from '../../src/invitations/revoke.ts'
import { optOutToken } from '../../src/lib/secrets/token.ts'
import { secretKey, setupToken } from '../support/app.ts'
import { findingsOf, type Site, startSite } from '../support/browser.ts'
import { expire, invite, inviteOne, one, sql } from '../support/people.ts'

t.jobs = 2

t.test('pages before setup', async t => {
  const site = await startSite({ isSetUp: false })
  t.teardown(site.close)
  const page = await site.open()
  for (const path of ['/sign-in', '/setup', `/setup?token=${setupToken}`]) {
    await page.goto(path)
    t.same(await findingsOf(page), [], path)
  }
  await press(page, 'Set up Rollcall')
  t.same(await findingsOf(page), [], 'the refused form')
  t.same(site.faults, [])
})

t.test('pages for people without a session', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const page = await site.open()
  for (const path of await publicPaths(site)) {
    await page.goto(path)
    t.same(await findingsOf(page), [], path)
  }
  await press(page, 'Stop invitations')
  t.same(await findingsOf(page), [], 'mail is stopped')
  await page.goto('/sign-in')
  await press(page, 'Sign in')
  t.same(await findingsOf(page), [], 'the refused sign-in')
  t.same(site.faults, [])
})

t.test('pages of the console', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const page = await site.open()
  await site.signIn(page, 'ada')
  for (const path of await consolePaths(site)) {
    await page.goto(path)
    t.same(await findingsOf(page), [], path)
  }
  await page.goto('/invite')
  await page.locator('#email-1').fill('someone')
  await press(page, 'Send invitations')
  t.same(await findingsOf(page), [], 'the refused invitation')
  await page.goto('/people?status=invited')
  await page.locator('tbody a').first().click()
  // the page that opens without JavaScript, and where nothing can be copied
  await page.locator('form[data-copy-link]').evaluate(form => (form as HTMLFormElement).submit())
  await page.getByRole('heading', { name: 'Invitation link' }).waitFor()
  t.match(page.url(), /\/invitations\/\d+\/link/)
  t.same(await findingsOf(page), [], 'an invitation link')
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
  t.same(await findingsOf(page), [], 'the list of shortcuts')
  t.same(site.faults, [])
})

t.test('on a phone the menu opens without JavaScript', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const page = await site.open({ viewport: { width: 390, height: 844 }, javaScriptEnabled: false })
  await site.signIn(page, 'ada')
  t.notOk(await page.locator('#menu nav').isVisible())
  await page.getByRole('button', { name: 'Menu' }).click()
  t.ok(await page.locator('#menu nav').isVisible())
})

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** One link of each state, the opt-out page, and an unknown page. */
async function publicPaths({ db, ids }: Site): Promise<string[]> {
  const [open, expired, revoked] = [
    await inviteOne(db, ids.ben, 'open@larkfield.example'),
    await inviteOne(db, ids.ben, 'a.rather.long.name.that.has.to.break.somewhere@larkfield-retail.example'),
    await inviteOne(db, ids.ben, 'revoked@larkfield.example')
  ]
  await expire(db, expired.personId)
  await revoke(db, ids.ben, revoked.invitationId)
  const links = [open, expired, revoked].map(({ token }) => `/join/${token}`)
  return ['/sign-in?next=%2Fpeople', ...links, '/nowhere', `/unsubscribe/${optOutToken(secretKey, open.personId)}`]
}

/** A batch with lines of every kind, an email, and people in several states. */
async function consolePaths({ db, ids, work }: Site): Promise<string[]> {
  await invite(db, ids.ada, 'nora@larkfield.example', 'tom@larkfield.example')
  await work()
  await invite(db, ids.ada, 'nora@larkfield.example', 'rosa@larkfeild.example', 'no one', 'dan@larkfield.example')
  await invite(db, ids.ada, 'uma@larkfield.example')
  const newest = await one<{ batch: number; mail: number; person: number }>(
    db,
    sql`select (select max(id) from batches) as batch, (select min(id) from deliveries) as mail,
      (select id from people where email = 'nora@larkfield.example') as person`
  )
  const batches = [newest.batch - 1, newest.batch].map(id => `/batches/${id}`)
  const outbox = ['/outbox', `/outbox/${newest.mail}`]
  const people = ['/people', '/people?q=nobody', `/people/${newest.person}`, `/people/${ids.dan}`]
  const others = ['/', '/invite', '/bulk', '/activity', '/me', '/people/0']
  const settings = ['organization', 'mail', 'directory', 'sign-in'].map(name => `/settings/${name}`)
  return [...others, ...settings, '/batches', ...batches, ...people, ...outbox]
}
