/** From an empty installation to a person who joined, in a real browser, with JavaScript and without. */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { goodPassword, organization, setupToken } from '../support/app.ts'
import { type Site, startSite } from '../support/browser.ts'

const founder = { name: 'Ada Moreau', email: 'ada@larkfield.example' }

// most of a walk is waiting for the page to refresh itself
t.jobs = 3

t.test('setup, invite, outbox, join, people: with JavaScript', async t => {
  const site = await startSite({ isSetUp: false })
  t.teardown(site.close)
  const ada = await site.open()
  await setUp(t, ada)

  await ada.goto('/invite')
  await ada.locator('#email-1').focus()
  await paste(ada, 'Doe, Jane <jane@larkfield.example>; "Roe, Rick" <rick@larkfield.example>,,')
  const two = ['jane@larkfield.example', 'rick@larkfield.example', '', '', '']
  t.same(await typed(ada), two, 'E19: a comma in a name splits no paste')
  await ada.goto('/invite')
  await ada.locator('#email-1').focus()
  await paste(ada, [...'abcdefg'].map(local => `${local}@larkfield.example`).join('\n'))
  await ada.getByRole('button', { name: 'Send invitations' }).click()
  await refused(t, ada)
  const last = ['e@larkfield.example; f@larkfield.example; g@larkfield.example']
  t.same((await typed(ada)).slice(4), last, 'of more than five none is lost')
  await ada.goto('/invite')
  await ada.locator('#email-1').focus()
  await paste(ada, 'nora@larkfield.example; Tom <tom@larkfeild.example>\nnoone')
  t.same(await typed(ada), ['nora@larkfield.example', 'tom@larkfeild.example', 'noone', '', ''], 'a paste is spread')
  await ada.getByRole('button', { name: 'Send invitations' }).click()
  await refused(t, ada)
  t.equal(await ada.evaluate(() => document.activeElement?.id), 'errors', 'the summary has the focus')
  await correctAndSend(ada)

  t.equal(await stateOf(ada), 'sending')
  const polls: string[] = []
  ada.on('request', request => request.url().includes('refresh=') && polls.push(request.url()))
  await ada.waitForRequest(/refresh=sending/)
  await site.work()
  await ada.locator('main[data-batch-state="done"]').waitFor()
  t.equal(await ada.locator('[data-count="sent"]').getAttribute('data-value'), '2')
  polls.length = 0
  await ada.waitForTimeout(2500)
  t.same(polls, [], 'once it is done, the page asks no more')

  await join(t, site, ada, await site.open())
  t.same(site.faults, [], 'S17: no error and nothing that the policy had to stop')
})

t.test('setup, invite, outbox, join, people: without JavaScript', async t => {
  const site = await startSite({ isSetUp: false })
  t.teardown(site.close)
  const ada = await site.open({ javaScriptEnabled: false })
  await setUp(t, ada)

  await ada.goto('/invite')
  await ada.locator('#email-1').fill('nora@larkfield.example; tom@larkfeild.example noone')
  await ada.getByRole('button', { name: 'Send invitations' }).click()
  await refused(t, ada)
  t.equal((await typed(ada))[0], 'nora@larkfield.example; tom@larkfeild.example noone', 'what was typed stays')
  await correctAndSend(ada)

  t.equal(await stateOf(ada), 'sending')
  await site.work()
  await ada.locator('main[data-batch-state="done"]').waitFor()
  t.match(ada.url(), /refresh=1/, 'the page reloaded itself')

  await join(t, site, ada, await site.open({ javaScriptEnabled: false }))
  t.same(site.faults, [], 'S17: no error and nothing that the policy had to stop')
})

t.test(
  'S2: a scanner with JavaScript that stays on the join page and hovers over every link changes nothing',
  async t => {
    const site = await startSite({ isSetUp: false })
    t.teardown(site.close)
    const ada = await site.open()
    await setUp(t, ada)
    await ada.goto('/invite')
    await correctAndSend(ada)
    await site.work()
    const link = await newestLink(ada)
    const before = await everything(site)
    const scanner = await site.open()
    await scanner.goto(link)
    for (const each of await scanner.locator('a:not(.skip), button, input').all()) await each.hover()
    for (const each of await scanner.getByRole('button').all()) await each.click()
    await scanner.waitForTimeout(3000)
    await scanner.reload()
    t.same(await everything(site), before)
    t.match(await scanner.title(), /Join Larkfield/, 'and the link still works')
    t.same(site.faults, [])
  }
)

async function setUp(t: Test, page: Page) {
  await page.goto(`/setup?token=${setupToken}`)
  await page.getByRole('button', { name: 'Set up Rollcall' }).click()
  await refused(t, page)
  await page.getByLabel('Name', { exact: true }).fill(organization)
  await page.getByLabel('Email domains').fill('larkfield.example')
  await page.getByLabel('Your name').fill(founder.name)
  await page.getByLabel('Your email address').fill(founder.email)
  await page.getByLabel('Password').fill(goodPassword)
  await page.getByRole('button', { name: 'Set up Rollcall' }).click()
  await page.waitForURL('/')
  t.equal(await page.locator('h1').textContent(), 'Dashboard')
}

/** Nothing was saved; the page and its title say so, with links to the fields. */
async function refused(t: Test, page: Page) {
  await page.locator('#errors').waitFor()
  t.match(await page.title(), /^Error: /)
  await page.locator('#errors a').first().click()
  t.equal(await page.locator(':focus').getAttribute('aria-invalid'), 'true', 'the summary leads to the field')
  await page.locator('#errors').focus()
}

async function correctAndSend(page: Page) {
  const addresses = ['nora@larkfield.example', 'tom@larkfield.example', '', '', '']
  for (const [index, address] of addresses.entries()) await page.locator(`#email-${index + 1}`).fill(address)
  await page.getByRole('button', { name: 'Send invitations' }).click()
  await page.waitForURL(/\/batches\/\d+/)
}

/** Nora joins with the link in her email; Ada sees it. */
async function join(t: Test, site: Site, ada: Page, nora: Page) {
  await nora.goto(await newestLink(ada))
  t.match(await nora.locator('.meta').textContent(), 'Ada Moreau invited you')
  await nora.getByLabel('Your name').fill('Nora Lind')
  await nora.getByLabel('Choose a password').fill('short')
  await nora.getByRole('button', { name: 'Join Larkfield' }).click()
  await refused(t, nora)
  t.equal(await nora.getByLabel('Your name').inputValue(), 'Nora Lind')
  await nora.getByLabel('Choose a password').fill(goodPassword)
  await nora.getByRole('button', { name: 'Join Larkfield' }).click()
  await nora.waitForURL('/me')
  t.equal(await nora.getByLabel('Name', { exact: true }).inputValue(), 'Nora Lind')
  t.equal((await nora.request.get(`${site.baseUrl}/people`)).status(), 403, 'a member sees nothing else')

  await ada.getByRole('link', { name: 'People', exact: true }).click()
  await ada.getByLabel('Search people').fill('nora')
  await ada.getByLabel('Search people').press('Enter')
  await ada.locator('tr', { hasText: 'ada@larkfield.example' }).waitFor({ state: 'detached' })
  t.equal(await ada.locator('tbody tr').getAttribute('data-enrollment'), 'signed-up')
  await ada.getByRole('link', { name: 'Nora Lind' }).click()
  await ada.locator('h1', { hasText: 'Nora Lind' }).waitFor()
  t.match(await ada.locator('.feed').textContent(), /signed up/)
}

/** The link in the email to Nora, as the outbox shows it. */
async function newestLink(ada: Page): Promise<string> {
  await ada.goto('/outbox')
  await ada.getByRole('link', { name: 'nora@larkfield.example' }).click()
  return (await ada.locator('.mail-text a[href*="/join/"]').getAttribute('href'))!
}

const typed = (page: Page) =>
  page.locator('input[name="email"]').evaluateAll(fields => fields.map(field => (field as HTMLInputElement).value))

const stateOf = (page: Page) => page.locator('main').getAttribute('data-batch-state')

/** A paste as from the system's clipboard. */
async function paste(page: Page, text: string) {
  await page.evaluate(words => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text', words)
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
    document.activeElement!.dispatchEvent(event)
  }, text)
}

/** Everything that a link could change. */
async function everything({ db }: Site) {
  const tables = ['people', 'invitations', 'deliveries', 'suppressions', 'events', 'sessions', 'settings']
  return Promise.all(tables.map(async name => db.$client.unsafe(`select * from ${name} order by 1`)))
}
