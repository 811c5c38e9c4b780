/** A list from the file to the report, in a real browser, with JavaScript and without. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { findingsOf, type Site, startSite } from '../support/browser.ts'

const lines = [
  'nora@larkfield.example',
  'jonas.weber@larkfeild.example',
  'nobody at all',
  '',
  'NORA@larkfield.example',
  'dan@larkfield.example',
  ...Array.from({ length: 60 }, (_, n) => `person.${n}@larkfield.example`)
]
const list = { name: 'people.txt', mimeType: 'text/plain', buffer: Buffer.from(lines.join('\r\n')) }

t.jobs = 2

t.test('check only, send and correct a list with JavaScript', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const page = await site.open()
  await checkAndSend(t, site, page)

  const address = page.getByLabel('Correct address for line 3')
  await address.fill('nobody@larkfield.example')
  t.ok(await page.locator('.pick[value="3"]').isChecked(), 'a corrected line is selected')
  await page.locator('.pick[value="2"]').check()
  t.equal(await page.locator('.selbar output').textContent(), '2')
  await page.keyboard.press('Control+Enter')
  await corrected(t, site, page)
  t.same(site.faults, [], 'S17: no error and nothing that the policy had to stop')
})

t.test('check only, send and correct a list without JavaScript', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const page = await site.open({ javaScriptEnabled: false })
  await checkAndSend(t, site, page)

  await page.locator('.pick[value="2"]').check()
  await page.locator('.pick[value="3"]').check()
  await page.getByRole('button', { name: 'Correct and invite' }).click()
  t.match(await page.locator('#errors').textContent(), /Line 3/, 'one line is still wrong: nothing was sent')
  t.ok(await page.locator('.pick[value="2"]').isChecked(), 'what was ticked stays')
  await page.getByLabel('Correct address for line 3').fill('nobody@larkfield.example')
  await page.getByRole('button', { name: 'Correct and invite' }).click()
  await corrected(t, site, page)
  t.same(site.faults, [], 'S17: no error and nothing that the policy had to stop')
})

t.test('a batch that waits to be sent can be canceled after a confirmation', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const page = await site.open({ javaScriptEnabled: false })
  await upload(site, page)
  t.notOk(await page.locator('#cancellation').isVisible())
  await page.getByRole('button', { name: 'Cancel batch…' }).click()
  t.ok(await page.locator('#cancellation').isVisible())
  await page.getByRole('button', { name: 'Cancel batch', exact: true }).click()
  t.equal(await page.locator('main').getAttribute('data-batch-state'), 'cancelled')
})

t.test('the pages of a list are accessible', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const page = await site.open()
  await site.signIn(page, 'ada')
  await page.goto('/bulk')
  await page.getByRole('button', { name: 'Check only' }).click()
  await page.locator('#errors:focus').waitFor()
  t.same(await findingsOf(page), [], 'a refused form')
  await upload(site, page)
  t.same(await findingsOf(page), [], 'a checked batch')
  for (const path of ['/batches', '/activity', '/settings/mail']) {
    await page.goto(path)
    t.same(await findingsOf(page), [], path)
  }
})

async function upload(site: Site, page: Page) {
  if (!(await page.locator('.who').count())) await site.signIn(page, 'ada')
  await page.goto('/bulk')
  await page.getByLabel('Text file').setInputFiles(list)
  await page.getByRole('button', { name: 'Check only' }).click()
  await page.locator('main[data-batch-state="checking"]').waitFor()
  await site.work()
  await page.locator('main[data-batch-state="checked"]').waitFor()
}

async function checkAndSend(t: Test, site: Site, page: Page) {
  await upload(site, page)
  t.equal(await countOf(page, 'duplicate'), 1)
  await page.getByRole('button', { name: 'Send 61 invitations' }).click()
  await page.locator('main[data-batch-state="checking"]').waitFor()
  await site.work()
  await page.locator('main[data-batch-state="done"]').waitFor()
  t.same([await countOf(page, 'invite'), await countOf(page, 'sent')], [61, 61])
  t.match(await page.locator('h1').textContent(), /61 invitations kept in the outbox/)
}

async function corrected(t: Test, site: Site, page: Page) {
  await page.locator('main[data-batch-state="sending"]').waitFor()
  t.equal(await countOf(page, 'invite'), 2)
  await page.getByRole('link', { name: 'an earlier batch' }).click()
  await page.locator('main[data-batch-state="done"]').waitFor()
  t.match(await page.locator('main').textContent(), /2 corrected lines were invited in another batch/)
  await site.work()
}

const countOf = async (page: Page, name: string) =>
  Number(await page.locator(`[data-count="${name}"][data-value]`).first().getAttribute('data-value'))
