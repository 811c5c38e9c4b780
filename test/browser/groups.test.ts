/** Directory groups in a real browser: from a search to sent invitations in a few keys, and without JavaScript. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { findingsOf, type Site, startSite } from '../support/browser.ts'
import { environmentOf, startCompany } from '../support/directory-site.ts'
import { one, sql } from '../support/people.ts'

t.jobs = 2

async function open(t: Test) {
  const slapd = await startCompany()
  const site = await startSite({ environment: environmentOf(slapd) })
  t.teardown(async () => {
    await site.close()
    await slapd.stop()
  })
  return site
}

/** A keyboard that counts keys. */
function counting(page: Page) {
  let pressed = 0
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key)
    pressed += keys.length
  }
  return { press, count: () => pressed }
}

t.test('search, three groups, sync, a section except one person, review and send: at most 25 keys', async t => {
  const site = await open(t)
  const page = await site.open()
  await site.signIn(page, 'ben')
  await page.goto('/groups')
  const { press, count } = counting(page)
  t.equal(await page.getByRole('button', { name: /^Sync/ }).first().textContent(), 'Sync groups', 'nothing is ticked')
  await press('/', 'e', 'n', 'g')
  await page
    .locator('.pick-row')
    .nth(2)
    .waitFor()
    .catch(async error =>
      t.fail(`${await page.locator('#q').inputValue()}: ${await page.locator('#results').innerText()}`, error)
    )
  await press('ArrowDown', 'Space')
  t.equal(await page.getByRole('button', { name: /^Sync/ }).first().textContent(), 'Sync 1 group')
  await press('Shift+ArrowDown', 'Shift+ArrowDown')
  t.equal(await page.getByRole('button', { name: /^Sync/ }).first().textContent(), 'Sync 3 groups')
  await press('Control+Enter')
  await page.locator('tr[data-sync="running"]').nth(2).waitFor()
  await site.work()
  await page.locator('tr[data-sync="done"]').nth(2).waitFor()
  await press('j', 'Enter')
  await page.waitForURL(/\/groups\/\d+$/)
  await press('j', 'Space')
  await selected(page, '20')
  await press('j', 'j', 'x')
  await selected(page, '19')
  await press('Control+Enter')
  await page.waitForURL(/\/review\?selection=\d+$/)
  t.match(await page.locator('h1').textContent(), '19 people get an invitation')
  await press('Control+Enter')
  await page.waitForURL(/\/batches\/\d+$/)
  t.ok(count() <= 25, `${count()} keys`)
  await site.work()
  const { n } = await one<{ n: number }>(site.db, sql`select count(*) as n from deliveries where state = 'sent'`)
  t.equal(n, 19)
  t.same(site.faults, [])
})

t.test('the same without JavaScript', async t => {
  const site = await open(t)
  const page = await site.open({ javaScriptEnabled: false })
  await site.signIn(page, 'ben')
  await page.goto('/groups')
  await page.getByLabel('Search directory groups').fill('engineering')
  await page.getByLabel('Search directory groups').press('Enter')
  await page.locator('.pick-row').first().waitFor()
  t.match(page.url(), /q=engineering/, 'Enter searches')
  await page.getByLabel(/Interns/).check()
  await page.getByLabel('Search directory groups').fill('builds')
  await page.getByRole('button', { name: 'Search' }).click()
  t.ok(await page.getByLabel(/Interns/).isChecked(), 'a tick outlives the next search')
  await page.getByLabel(/Everybody who builds/).check()
  await page.getByRole('button', { name: /^Sync .* groups$/ }).click()
  await page.getByText('Syncing 2 groups').waitFor()
  await site.work()
  await page.goto('/groups')
  await page.getByRole('link', { name: 'Engineering', exact: true }).click()
  await page.getByLabel('Everyone in Data').check()
  await page.getByRole('button', { name: /^Platform/ }).click()
  t.equal(await page.locator('.selbar output').textContent(), '20', 'opening another section keeps the tick')
  const first = page.locator('[data-section="Data"] input[name="member"]').first()
  await first.uncheck()
  await page.getByRole('button', { name: 'Title', exact: true }).click()
  t.match(page.url(), /by=title/)
  t.equal(await page.locator('.selbar output').textContent(), '19')
  await page.getByLabel('Search members').fill('amara')
  await page.getByLabel('Search members').press('Enter')
  t.match(page.url(), /q=amara/)
  t.equal(await page.locator('.selbar output').textContent(), '19', 'and so does a search')
  await page.getByRole('button', { name: 'Review and send' }).click()
  t.match(await page.locator('h1').textContent(), '19 people get an invitation')
  await page.getByRole('link', { name: 'Change selection' }).click()
  await page.getByRole('button', { name: 'Clear' }).click()
  t.equal(await page.locator('.selbar output').textContent(), '0')
  await page.getByRole('button', { name: 'Review and send' }).click()
  await page.getByText('Select the people to invite').waitFor()
  await page.goto('/groups')
  await page.getByRole('link', { name: 'Engineering Interns' }).click()
  await page.getByRole('button', { name: 'Invite 6 people' }).click()
  await page.getByRole('button', { name: 'Send 6 invitations' }).click()
  await page.waitForURL(/\/batches\/\d+/)
  t.same(site.faults, [])
})

t.test('pages of groups and teams in both themes and at both widths', async t => {
  const site = await open(t)
  const page = await site.open()
  await site.signIn(page, 'ada')
  await page.goto('/groups?q=eng')
  t.same(await findingsOf(page), [], 'a search')
  await page.getByLabel(/Managers/).check()
  await page.getByLabel(/Everybody who builds/).check()
  await page.getByRole('button', { name: /^Sync/ }).first().click()
  await page.getByText('Syncing 2 groups').waitFor()
  t.same(await findingsOf(page), [], 'groups that are being read')
  await site.work()
  const ids = await prepare(site)
  for (const path of paths(ids)) {
    await page.goto(path)
    t.same(await findingsOf(page), [], path)
  }
  await page.goto(`/groups/${ids.engineering}?by=status`)
  await page.getByRole('button', { name: /^Select all/ }).click()
  await selected(page, '60')
  t.same(await findingsOf(page), [], 'a selection')
  await page.getByRole('button', { name: 'Review and send' }).click()
  await page.waitForURL(/review/)
  t.same(await findingsOf(page), [], 'a review')
  await page.goto(`/groups/${ids.engineering}`)
  await page.getByRole('button', { name: 'Stop syncing…' }).click()
  t.same(await findingsOf(page), [], 'the question before a group is stopped')
  t.same(site.faults, [])
})

const paths = (ids: Record<'engineering' | 'managers' | 'team' | 'run', number>) => [
  ...['/groups', '/groups?q=zz', `/groups/${ids.managers}`, `/groups/${ids.engineering}?by=title&q=lead`],
  ...[`/groups/${ids.engineering}?status=revoked`, `/groups/${ids.engineering}/sync-runs/${ids.run}`],
  ...['/groups/leavers', '/teams', '/teams?q=zz', `/teams/${ids.team}`]
]

/** One run failed, one waits, one person has no address, and one has left. */
async function prepare({ db }: Site) {
  const [ids] = await db.$client`
    select (select id from directory_groups where name = 'Engineering') as engineering,
      (select id from directory_groups where name = 'Engineering Managers') as managers,
      (select max(id) from teams) as team`
  const { engineering, managers, team } = ids as unknown as Record<'engineering' | 'managers' | 'team', number>
  await db.$client`update sync_runs set state = 'failed', reason = 'Reading 60 people: the server hung up' where group_id = ${managers}`
  const [run] =
    await db.$client`update sync_runs set state = 'parked', parked = 3, removed = 2 where group_id = ${engineering} returning id`
  await db.$client`insert into left_out (group_id, directory_id, reason, name, dn) values (${managers}, 'x', 'no-mail', 'Printer on the third floor', 'cn=printer')`
  await db.$client`update people set directory_id = 'dan', gone_from_directory_at = now() where email = 'dan@larkfield.example'`
  return { engineering, managers, team, run: (run as unknown as { id: number }).id }
}

const selected = (page: Page, count: string) =>
  page.locator('.selbar output', { hasText: new RegExp(`^${count}$`) }).waitFor()
