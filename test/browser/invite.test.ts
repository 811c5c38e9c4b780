/** The form for typed addresses, posted in place: refusals, checks of one field, success, and everything that can stop it. */
import type { BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import type { Persona } from '../support/app.ts'
import { findingsOf, type Site, startSite } from '../support/browser.ts'
import { sql } from '../support/people.ts'

t.jobs = 4

const site = await startSite()
t.teardown(site.close)

/** Signed in, on the form. Reloading the page loses the mark that `isSame` looks for. */
async function open({
  on = site,
  as = 'ben' as Persona,
  ...options
}: BrowserContextOptions & { on?: Site; as?: Persona } = {}) {
  const page = await on.open(options)
  await on.signIn(page, as)
  await page.goto('/invite')
  await page.evaluate(() => Object.assign(window, { isMarked: true }))
  const addresses = page.locator('input[name="email"]')
  return {
    page,
    type: async (...values: string[]) => {
      for (const [index, value] of values.entries()) await addresses.nth(index).fill(value)
    },
    typed: () => addresses.evaluateAll(fields => fields.map(field => (field as HTMLInputElement).value)),
    send: () => page.getByRole('button', { name: 'Send invitations' }).click(),
    isSame: () => page.evaluate(() => 'isMarked' in window),
    entries: () => page.evaluate(() => history.length),
    focused: () => page.evaluate(() => document.activeElement?.id),
    trouble: page.locator('#trouble'),
    told: page.locator('#live')
  }
}
const headingIsFocused = (page: Page, text: string) => page.locator('h1:focus', { hasText: text }).waitFor()

t.test('a refusal replaces the form, and success replaces the page, with its own address', async t => {
  const { page, type, typed, send, isSame, entries, focused } = await open()
  const before = await entries()
  await type('nora@larkfield.example', 'tom@larkfeild.example', 'no one')
  await send()
  await page.locator('#errors:focus').waitFor()
  t.match(await page.title(), 'Error: Invite people')
  t.same(await typed(), ['nora@larkfield.example', 'tom@larkfeild.example', 'no one', '', ''])
  t.equal(await page.locator('[aria-invalid="true"]').count(), 2)
  t.equal(new URL(page.url()).pathname, '/invite')
  t.equal(await entries(), before, 'there is nothing to go back from')
  await page.locator('#email-1').fill('')
  await send()
  await page.locator('#errors:focus').waitFor()
  t.equal(await entries(), before, 'nor after another one')
  await page.locator('#errors a').first().click()
  t.equal(await focused(), 'email-2', 'the summary leads to the field')

  await type('nora@larkfield.example', 'tom@larkfield.example', '')
  await page.locator('#email-3').press('Enter')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/batches\/\d+$/)
  await headingIsFocused(page, '2 invitations on the way')
  t.match(await page.title(), '2 invitations on the way')
  t.equal(await page.locator('main').getAttribute('data-batch-state'), 'sending')
  t.equal(await entries(), before + 2, 'one for the link of the summary, one for the batch')
  t.ok(await isSame(), 'no page was loaded')
  const tom = await site.db.execute(sql`select 1 from recipients where address = 'tom@larkfield.example'`)
  t.equal(tom.length, 1, 'a second press while the first one is under way is dropped')
  await site.work()
  await page.locator('main[data-batch-state="done"]').waitFor()
  await page.goBack()
  await page.waitForURL('**/invite#email-2')
  await headingIsFocused(page, 'Invite people')
  t.same(await typed(), ['', '', '', '', ''], 'what was sent is not there to be sent again')
  await page.goForward()
  await headingIsFocused(page, '2 invitations kept in the outbox')
  t.same(site.faults, [])
})

t.test('a field is checked when the user leaves it, without moving the focus or changing the input', async t => {
  const { page, type, typed, focused, told } = await open()
  const verdict = page.locator('#email-1-e')
  const asked: string[] = []
  page.on('request', request => request.url().endsWith('/check') && asked.push(request.postData()!))
  await type('nora@larkfeild.example')
  await page.keyboard.press('Tab')
  await verdict.getByText('Did you mean larkfield.example?').waitFor()
  t.equal(await focused(), 'email-2')
  t.match(await told.textContent(), /^Address 1: larkfeild.example is not one of your domains/)
  const field = page.locator('#email-1')
  t.equal(await field.getAttribute('aria-invalid'), 'true')
  t.equal(await field.getAttribute('aria-describedby'), 'email-1-e')
  for (const key of ['Shift+Tab', 'Tab', 'Tab', 'Tab', 'Shift+Tab']) await page.keyboard.press(key)
  t.same(asked, ['email=nora%40larkfeild.example'], 'blank and unchanged fields are not asked about')

  await type('nora@larkfield.example')
  await page.keyboard.press('Tab')
  await page.locator('#email-1:not([aria-invalid])').waitFor()
  t.equal(await verdict.textContent(), '')
  t.equal(await field.getAttribute('aria-describedby'), 'allowed')
  await type('a@larkfield.example, b@elsewhere.example')
  await page.keyboard.press('Tab')
  await verdict.getByText('b@elsewhere.example: elsewhere.example is not one of your domains').waitFor()
  await type('', 'x')
  await page.locator('#email-1:not([aria-invalid])').waitFor()
  t.same((await typed()).slice(0, 2), ['', 'x'])
  t.same(site.faults, [])
})

t.test('a check of text that has changed is aborted, and a slow check does not block typing', async t => {
  const { page, type, typed, focused } = await open()
  const answers: (() => void)[] = []
  await page.route('**/invite/check', async route => {
    await new Promise<void>(resolve => answers.push(resolve))
    await route.continue().catch(() => {})
  })
  const failed = page.waitForEvent('requestfailed')
  const first = page.waitForRequest('**/invite/check')
  await type('wrong')
  await page.keyboard.press('Tab')
  await first
  const second = page.waitForRequest('**/invite/check')
  await type('kim@elsewhere.example')
  t.equal((await failed).postData(), 'email=wrong')
  await page.keyboard.press('Tab')
  await second
  await page.keyboard.type('tom@lark')
  for (const answer of answers) answer()
  await page.locator('#email-1-e', { hasText: 'elsewhere.example is not one of your domains' }).waitFor()
  await page.keyboard.type('field.example')
  t.equal(await focused(), 'email-2')
  t.equal((await typed())[1], 'tom@larkfield.example')
})

t.test('a session that ends while typing is reported in place, and signing in elsewhere is enough', async t => {
  const { page, type, typed, send, isSame, focused, trouble } = await open({ as: 'ada' })
  await type('uma@larkfield.example')
  await site.db.execute(sql`delete from sessions where person_id = ${site.ids.ada}`)
  await page.keyboard.press('Tab')
  await trouble.getByText('You are signed out.').waitFor()
  t.equal(await focused(), 'email-2', 'who types is not interrupted')
  t.same(await findingsOf(page), [])
  await type('uma@larkfield.example', 'vera@larkfield.example')
  await send()
  await page.locator('#trouble:focus').waitFor()
  t.same((await typed()).slice(0, 2), ['uma@larkfield.example', 'vera@larkfield.example'])
  const opened = page.context().waitForEvent('page')
  await page.getByRole('link', { name: 'Sign in (new tab)' }).click()
  const tab = await opened
  await site.signIn(tab, 'ada')
  await tab.close()
  await send()
  await headingIsFocused(page, '2 invitations on the way')
  t.ok(await isSame())
})

t.test('any other failure is reported in place, and no input is lost', async t => {
  const other = await startSite()
  t.teardown(other.close)
  const { page, type, typed, send, isSame, trouble } = await open({ on: other })
  const isTold = async (text: string | RegExp) => {
    await send()
    await page.locator('#trouble:focus').filter({ hasText: text }).waitFor()
    t.equal((await typed())[1], 'wim@larkfield.example', String(text))
  }
  await type('', 'wim@larkfield.example')
  await other.db.execute(sql`update people set role = 'auditor' where id = ${other.ids.ben}`)
  await isTold('Not allowed. Your role does not include this page.')
  await other.db.execute(sql`update people set role = 'admin' where id = ${other.ids.ben}`)
  await type('x'.repeat(70_000))
  await isTold(/^\s*Too large\./)
  await type('')
  await page.route('**/invite', route => route.fulfill({ status: 502, body: '<h1>Bad gateway</h1>' }), { times: 1 })
  await isTold('The answer was 502, and it did not come from Rollcall.')
  await other.db.execute(sql`alter table batches rename to elsewhere`)
  await isTold(/Something went wrong\.[\s\S]*Request /)
  await other.db.execute(sql`alter table elsewhere rename to batches`)
  await page.context().setOffline(true)
  await isTold('The connection was lost. The invitations may or may not have been sent.')
  await type('yan')
  await page.keyboard.press('Tab')
  await page.locator('#email-1-e', { hasText: 'This could not be checked now.' }).waitFor()
  await page.context().setOffline(false)
  await type('')
  await send()
  await headingIsFocused(page, '1 invitation on the way')
  t.notOk(await trouble.isVisible())
  t.ok(await isSame())
})

t.test('without JavaScript the form works as a plain form', async t => {
  const { page, type, typed, send } = await open({ javaScriptEnabled: false })
  await type('no one')
  await send()
  t.ok(await page.locator('#errors').isVisible())
  t.equal((await typed())[0], 'no one')
  t.notOk(await page.locator('#trouble').isVisible())
  await type('zoe@larkfield.example')
  await send()
  await page.waitForURL(/\/batches\/\d+$/)
  t.match(await page.title(), '1 invitation on the way')
})
