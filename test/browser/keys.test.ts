/** The keyboard: single keys on every page of the console, and the switch that turns them off. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite } from '../support/browser.ts'

const site = await startSite()
t.teardown(site.close)
const page = await site.open()
await site.signIn(page, 'ada')

const focused = (on: Page) => on.evaluate(() => document.activeElement?.id ?? '')

t.test('/ moves to the search field, and is a character there', async t => {
  await page.goto('/people')
  await page.keyboard.press('/')
  t.equal(await focused(page), 'q')
  await page.keyboard.type('/g?')
  t.equal(await page.locator('#q').inputValue(), '/g?')
  t.notOk(await page.locator('#keys').isVisible())
})

t.test('? shows the shortcuts, and Escape hides them', async t => {
  await page.goto('/people')
  await page.keyboard.press('?')
  t.ok(await page.locator('#keys').isVisible())
  t.match(await page.locator('#keys').textContent(), /People/)
  await page.keyboard.press('Escape')
  t.notOk(await page.locator('#keys').isVisible())
})

t.test('g and a letter open a page', async t => {
  await page.goto('/')
  for (const [letter, path] of [
    ['p', '/people'],
    ['i', '/invite'],
    ['s', '/settings/organization'],
    ['d', '/']
  ] as const) {
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())
    await page.keyboard.press('g')
    await page.keyboard.press(letter)
    await page.waitForURL(path)
    t.pass(path)
  }
})

t.test('with shortcuts off single keys do nothing, and everything else works', async t => {
  await page.goto('/me')
  await page.getByLabel('Single-key shortcuts').selectOption('off')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  await page.goto('/people')
  for (const key of ['/', '?', 'g', 'd']) await page.keyboard.press(key)
  t.not(await focused(page), 'q')
  t.notOk(await page.locator('#keys').isVisible())
  t.equal(new URL(page.url()).pathname, '/people')
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
  t.ok(await page.locator('#keys').isVisible(), 'the list is still a click away')
})

t.test('the first Tab reaches a link that skips the navigation', async t => {
  await page.goto('/people')
  await page.keyboard.press('Tab')
  t.equal(await page.locator(':focus').textContent(), 'Skip to content')
  await page.keyboard.press('Enter')
  t.equal(await focused(page), 'main')
})

t.test('the browser reported no errors', async t => t.same(site.faults, []))
