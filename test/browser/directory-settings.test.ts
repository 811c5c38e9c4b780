/** Settings › Directory in a real browser: type, test against a real server, fix errors, save. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { readDirectory } from '../../src/directory/settings.ts'
import { secretKey } from '../support/app.ts'
import { findingsOf, startSite } from '../support/browser.ts'
import { startCompany } from '../support/directory-site.ts'
import { bindDn, bindPassword, suffix } from '../support/slapd.ts'

t.jobs = 2

async function open(t: Test, options: Parameters<Awaited<ReturnType<typeof startSite>>['open']>[0] = {}) {
  const slapd = await startCompany()
  const site = await startSite()
  t.teardown(async () => {
    await site.close()
    await slapd.stop()
  })
  const page = await site.open(options)
  await site.signIn(page, 'ada')
  await page.goto('/settings/directory')
  const read = () => readDirectory({ db: site.db, config: site.config, secretKey })
  return { site, page, slapd, read }
}

const fill = async (page: Page, url: string, password: string) => {
  await page.getByLabel('Address', { exact: true }).fill(url)
  await page.getByLabel('StartTLS').selectOption('off')
  await page.getByLabel('Bind DN').fill(bindDn)
  await page.getByLabel('Bind password').fill(password)
  await page.getByLabel('Base DN').fill(suffix)
}
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
/** The beginning of the answer, which is below a long form. */
const isInView = (page: Page) =>
  page.locator('#directory-test').evaluate(element => {
    const { top } = element.getBoundingClientRect()
    return top >= 0 && top < window.innerHeight - 40
  })
const steps = (page: Page, state: 'ok' | 'failed') => page.locator(`#directory-test [data-step="${state}"]`)

t.test('a test answers in place: input stays, errors are shown, and nothing is saved', async t => {
  const { site, page, slapd, read } = await open(t)
  await press(page, 'Test')
  await page.getByText('The test did not run.').waitFor()
  t.ok(await isInView(page), 'the answer is where one looks')
  t.same(await findingsOf(page), [], 'nothing was filled in')
  await fill(page, slapd.url, 'wrong')
  await press(page, 'Test')
  await steps(page, 'failed').waitFor()
  t.match(await page.locator('#directory-test').innerText(), /The directory cannot be read[\s\S]*Sign-in/)
  t.same(await findingsOf(page), [], 'a test that fails')
  t.equal(await page.getByLabel('Bind password').inputValue(), 'wrong', 'the page was not made anew')

  await page.getByLabel('Bind password').fill(bindPassword)
  await press(page, 'Test')
  await page.getByText('The directory can be read').waitFor()
  t.equal(await steps(page, 'ok').count(), 8)
  t.match(await page.locator('#directory-test').innerText(), /60 people/)
  t.equal(await page.locator('#directory-test').count(), 1)
  t.notMatch(page.url(), '/test')
  t.same(await findingsOf(page), [], 'a test that succeeds')
  t.equal((await read()).problem, 'No directory is set up yet', 'a test saves nothing')

  await press(page, 'Save')
  await page.getByText('Saved. Test it').waitFor()
  t.match((await read()).settings, { url: slapd.url, bindPassword })
  t.equal(await page.getByLabel('Bind password').inputValue(), '')
  t.notMatch(await page.content(), bindPassword)
  await press(page, 'Test')
  await page.getByText('The directory can be read').waitFor()
  t.same(site.faults, [])
})

t.test('by keyboard alone: Tab to Test, Enter, and the answer is announced', async t => {
  const { site, page, slapd } = await open(t)
  await fill(page, slapd.url, bindPassword)
  await page.getByRole('button', { name: 'Test', exact: true }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('The directory can be read').waitFor()
  t.equal(await page.locator('#directory-test').getAttribute('role'), 'status')
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'Test', 'the focus stays where it was')
  t.same(site.faults, [])
})

t.test('the same without JavaScript', async t => {
  const { site, page, slapd, read } = await open(t, { javaScriptEnabled: false })
  await fill(page, 'nothing', bindPassword)
  await press(page, 'Test')
  t.match(await page.title(), 'Error: Directory')
  t.equal(await page.getByLabel('Address', { exact: true }).inputValue(), 'nothing', 'what was typed stays')
  t.ok(await page.locator('#url-e').isVisible())
  await fill(page, slapd.url, 'wrong')
  await press(page, 'Test')
  t.ok(await isInView(page), 'and so without script')
  t.match(await page.locator('#directory-test').innerText(), /The directory cannot be read/)
  t.equal(await page.getByLabel('Base DN').inputValue(), suffix)
  t.equal(await page.getByLabel('Bind password').inputValue(), '', 'but no page holds a password')
  await page.getByLabel('Bind password').fill(bindPassword)
  await press(page, 'Test')
  t.match(await page.locator('#directory-test').innerText(), /The directory can be read[\s\S]*60 people/)
  t.equal((await read()).problem, 'No directory is set up yet')
  await page.getByLabel('Bind password').fill(bindPassword)
  await press(page, 'Save')
  await page.getByText('Saved. Test it').waitFor()
  t.match((await read()).settings, { url: slapd.url, bindPassword })
  t.same(site.faults, [])
})
