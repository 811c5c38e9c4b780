/** The upload of a list, posted in place: progress, canceling, refusals, success, and every kind of failure. */
import type { BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import { findingsOf, type Site, startSite } from '../support/browser.ts'
import { sql } from '../support/people.ts'

t.jobs = 4

const site = await startSite()
t.teardown(site.close)
await site.db.execute(sql`insert into teams (name, source) values ('Night shift', 'by-hand')`)

const linesOf = (count: number) =>
  Buffer.from(Array.from({ length: count }, (_, n) => `person.${n}@larkfield.example\n`).join(''))
const textFile = (name: string, buffer: Buffer) => ({ name, mimeType: 'text/plain', buffer })

/** Signed in, on the form. Reloading the page loses the mark that `isSame` looks for. */
async function open({ on = site, ...options }: BrowserContextOptions & { on?: Site } = {}) {
  const page = await on.open(options)
  await on.signIn(page, 'ben')
  await page.goto('/bulk')
  await page.evaluate(() => Object.assign(window, { isMarked: true }))
  const file = page.getByLabel('Text file')
  return {
    page,
    choose: (name: string, bytes: Buffer) => file.setInputFiles(textFile(name, bytes)),
    chosen: () => file.evaluate(field => (field as HTMLInputElement).files?.[0]?.name),
    check: () => page.getByRole('button', { name: 'Check only' }).click(),
    isSame: () => page.evaluate(() => 'isMarked' in window),
    entries: () => page.evaluate(() => history.length),
    told: page.locator('#live'),
    upload: page.getByRole('group', { name: 'Upload' })
  }
}

/** Limits the connection to this many bytes a second; returns a function that ends the limit. */
async function slowDown(page: Page, bytesPerSecond: number) {
  const devtools = await page.context().newCDPSession(page)
  const set = (uploadThroughput: number) =>
    devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput
    })
  await devtools.send('Network.enable')
  await set(bytesPerSecond)
  return () => set(-1)
}

/** Every text that an element shows from now on. */
async function textsOf(page: Page, selector: string) {
  const texts = await page.evaluateHandle(selector => {
    const element = document.querySelector(selector)!
    const said: string[] = []
    new MutationObserver(() => said.push(element.textContent!)).observe(element, { childList: true })
    return said
  }, selector)
  return () => texts.evaluate(said => said.filter((text, index) => text !== said[index - 1]))
}

const stateOf = async (name: string, { db }: Site = site) => {
  const rows = await db.execute<{ state: string }>(sql`select state from batches where file_name = ${name} order by id`)
  return rows[0]?.state
}

/** The server notices a cut a moment after the browser made it. */
async function becomes(name: string, state: string, on?: Site) {
  for (let tries = 0; tries < 300; tries += 1) {
    if ((await stateOf(name, on)) === state) return true
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return false
}
const headingIsFocused = (page: Page, text: string) => page.locator('h1:focus', { hasText: text }).waitFor()

t.test('a list on a slow connection shows its upload progress, then leads to its batch', async t => {
  const { page, choose, check, isSame, entries, upload } = await open()
  const before = await entries()
  const [spoken, shown] = [await textsOf(page, '#live'), await textsOf(page, '#upload-text')]
  await choose('slow.txt', linesOf(20_000))
  await slowDown(page, 500_000)
  await check()
  await page.waitForURL(/\/batches\/\d+$/)
  await headingIsFocused(page, 'lines checked')
  const sizes = (await shown()).filter(text => /^\d+ (bytes?|kB) of 6\d\d kB sent$/.test(text))
  t.ok(sizes.length > 2, sizes.join())
  t.equal((await shown()).at(-1), 'Sent. Rollcall is saving the list …')
  const said = await spoken()
  const quarters = ['25 percent sent.', '50 percent sent.', '75 percent sent.'].filter(text => said.includes(text))
  t.same(said, ['Uploading.', ...quarters, 'All of the file is sent. Rollcall is saving the list.', ''])
  t.equal(await entries(), before + 1)
  t.equal(await stateOf('slow.txt'), 'checking')
  t.ok(await isSame(), 'no page was loaded')
  await page.goBack()
  await headingIsFocused(page, 'Bulk invite')
  t.notOk(await upload.isVisible())
  t.same(site.faults, [])
})

t.test('an upload can be canceled, by keyboard too; nothing is sent, and the file is still selected', async t => {
  const { page, choose, chosen, check, upload } = await open()
  await choose('canceled.txt', linesOf(60_000))
  const speedUp = await slowDown(page, 50_000)
  await check()
  await upload.getByText(/^\d+ kB of/).waitFor()
  const bar = upload.getByRole('progressbar')
  t.ok((await bar.evaluate(progress => (progress as HTMLProgressElement).position)) < 1)
  t.same(await findingsOf(page), [])
  await page.keyboard.press('Shift+Tab')
  t.equal(await page.locator(':focus').innerText(), 'Cancel upload')
  await page.keyboard.press('Enter')
  await page.locator('#trouble.info:focus', { hasText: 'Upload canceled.' }).waitFor()
  t.notOk(await upload.isVisible())
  t.equal(await chosen(), 'canceled.txt')
  t.ok(await becomes('canceled.txt', 'incomplete'), 'the server takes it for a cut upload')
  await speedUp()
  await check()
  await headingIsFocused(page, 'lines checked')
})

t.test('a refusal replaces the form: the selected file and the typed team stay', async t => {
  const { page, choose, chosen, check, entries } = await open()
  const before = await entries()
  await check()
  await page.locator('#errors:focus').getByText('Choose a .txt file.').waitFor()
  await page.getByLabel('Team').fill('Night shift')
  const archive = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(3_000_000, 1)])
  await choose('archive.txt', archive)
  await slowDown(page, 3_000_000)
  await check()
  await page.locator('#errors:focus').getByText(/zip/).waitFor()
  t.match(await page.title(), 'Error: Bulk invite')
  t.equal(await chosen(), 'archive.txt')
  t.equal(await page.getByLabel('Team').inputValue(), 'Night shift')
  t.equal(await page.getByLabel('Text file').getAttribute('aria-invalid'), 'true')
  t.equal(await entries(), before)
  t.equal(await stateOf('archive.txt'), undefined)
  await choose('right.txt', linesOf(3))
  t.equal(await page.getByLabel('Text file').getAttribute('aria-invalid'), null, 'another file is not wrong yet')
  await page.keyboard.press('Control+Enter')
  await headingIsFocused(page, 'lines checked')
  t.match(await page.locator('main').textContent(), /Night shift/)
  t.same(site.faults, [])
})

t.test('any other failure of an upload is reported in place', async t => {
  const other = await startSite()
  t.teardown(other.close)
  const { page, choose, chosen, check, upload } = await open({ on: other })
  const isTold = (text: string) => page.locator('#trouble:focus').filter({ hasText: text }).waitFor()
  await choose('lost.txt', linesOf(60_000))
  await page.locator('#file').evaluate(field => field.setAttribute('data-max-bytes', '1000000'))
  await check()
  await isTold('Too large. The file has 1.8 MB.')
  await page.locator('#file').evaluate(field => field.setAttribute('data-max-bytes', '2000000000'))
  await other.db.execute(sql`delete from sessions`)
  await check()
  await isTold('You are signed out. Nothing was sent.')
  const tab = await page.context().newPage()
  await other.signIn(tab, 'ben')
  await tab.close()
  await slowDown(page, 100_000)
  await check()
  await upload.getByText(/^\d+ kB of/).waitFor()
  // the browser may count bytes as sent that a busy server has not read
  t.ok(await becomes('lost.txt', 'receiving', other))
  other.app.server.close()
  other.app.server.closeAllConnections()
  await isTold('The upload was interrupted. The file did not arrive whole')
  t.equal(await chosen(), 'lost.txt')
  t.ok(await becomes('lost.txt', 'incomplete', other))
})

t.test('without JavaScript the form works as a plain form', async t => {
  const { page, choose, check, upload } = await open({ javaScriptEnabled: false })
  await choose('people.csv', linesOf(3))
  await check()
  t.ok(await page.locator('#errors').isVisible())
  t.notOk(await upload.isVisible())
  await choose('plain.txt', linesOf(3))
  await check()
  await page.waitForURL(/\/batches\/\d+$/)
})
