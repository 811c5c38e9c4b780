/** Every key of a list, on a group's members; the server receives each selection at once. */
import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite } from '../support/browser.ts'
import { addGroup } from '../support/groups.ts'

const site = await startSite()
t.teardown(site.close)
const at = (name: string) => `${name}@larkfield.example`
const inSection = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{
      email: at(`${name.toLowerCase()}${index}`),
      department: name,
      name: `${name} ${String(index).padStart(3, '0')}`
    }
  }))
const group = await addGroup(site.db, 'Engineering', [
  ...inSection('Data', 6),
  ...inSection('Platform', 120),
  ...inSection('Quality', 5)
])
const base = `/groups/${group.id}?by=department&open=Data&open=Platform`
const page = await site.open()
await site.signIn(page, 'ben')
const id = (name: string) => String(group.people[name])

/** The focus: a section, a person by the part before the @ sign, or another element by its id. */
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement
    const row = element.closest('tr')?.querySelector('.sub')?.textContent?.split('@')[0]
    return element.dataset.group ? `section ${element.dataset.group}` : element.matches('.pick') ? row : element.id
  })
const count = (on = page) => on.locator('.selbar output').textContent()
const box = (name: string) => page.locator(`.pick[value="${name === name.toLowerCase() ? id(name) : name}"]`)
const isMixed = (name: string) => box(name).evaluate(element => (element as HTMLInputElement).indeterminate)
const press = async (...keys: string[]) => {
  for (const key of keys) await page.keyboard.press(key)
}
/** The server's selection, as a new page shows it. */
async function kept(): Promise<string | null> {
  await page.locator('form[data-remote]:not([data-busy])').waitFor()
  const other: Page = await page.context().newPage()
  await other.goto(page.url())
  const said = await count(other)
  await other.close()
  return said
}

t.beforeEach(async () => {
  await page.goto(base)
})

t.test('j and ↓ move into and down the list, k and ↑ up, Home and End to its ends', async t => {
  await press('j')
  t.equal(await focused(), 'section Data')
  await press('j', 'ArrowDown')
  t.equal(await focused(), 'data1')
  await press('k')
  t.equal(await focused(), 'data0')
  await press('End')
  t.equal(await focused(), 'section Quality')
  await press('Home')
  t.equal(await focused(), 'section Data')
  await press('ArrowUp')
  t.equal(await focused(), 'q', '↑ on the first row goes back to the search')
  await press('ArrowDown')
  t.equal(await focused(), 'section Data', '↓ from the search enters the list')
})

t.test('Space and x select; the server receives each selection, and nothing else', async t => {
  const sent: (string | null)[] = []
  page.on('request', request => request.method() === 'POST' && sent.push(request.postData()))
  await press('j', 'j', 'x', 'j', 'Space')
  t.equal(await count(), '2')
  t.equal(await kept(), '2')
  t.ok(sent.length > 0 && sent.every(body => (body?.match(/member=/g)?.length ?? 0) <= 2 && !/ticked=/.test(body!)))
  t.match(page.url(), /selection=\d+/, 'and the address of the page says so')
  await press('x')
  t.equal(await kept(), '1')
})

t.test('Shift and an arrow select while moving; Shift+Space and Shift+click select a range', async t => {
  await box('data0').focus()
  await press('Shift+ArrowDown', 'Shift+J')
  t.equal(await count(), '3')
  await press('Escape')
  t.equal(await count(), '0')
  await box('data0').focus()
  await press('x', 'j', 'j', 'j', 'Shift+Space')
  t.ok(await box('data3').isChecked())
  await press('Escape')
  await box('platform0').click()
  await box('platform4').click({ modifiers: ['Shift'] })
  t.equal(await count(), '5')
  t.ok(await isMixed('Platform'))
  t.equal(await kept(), '5')
})

t.test('a section includes everyone in it except people who were deselected', async t => {
  await box('Platform').click()
  t.equal(await count(), '120')
  await box('platform2').click()
  t.equal(await count(), '119')
  t.ok(await isMixed('Platform'))
  t.equal(await kept(), '119')
  await page.getByRole('button', { name: /^Show 50 more/ }).click()
  await box('platform60').waitFor()
  t.equal(await focused(), 'platform50', 'the first of the new rows has the focus')
  t.ok(await box('platform0').isVisible(), 'and those before stay')
  t.equal(await page.locator('#appended').textContent(), '50 more people shown.')
  t.equal(await page.getByRole('button', { name: 'Show 20 more of 20' }).count(), 1)
  t.equal(await count(), '119')
  t.ok(await box('platform60').isChecked(), 'the next page of it is ticked as well')
  await box('Platform').click()
  t.equal(await kept(), '0')
  await box('Platform').click()
  t.equal(await kept(), '120', 'everybody again')
  await box('Platform').click()
  t.equal(await kept(), '0')
})

t.test('Ctrl+A selects all rows shown, only from a row; Escape clears the selection, on the server too', async t => {
  await box('data0').focus()
  await press('Control+a')
  t.equal(await count(), '131')
  t.equal(await kept(), '131')
  await press('Escape')
  t.equal(await count(), '0')
  t.notOk(await page.locator('.selbar').isVisible())
  t.equal(await kept(), '0')
})

t.test('after Clear, the focus returns to the last used row', async t => {
  await press('j', 'j', 'x', 'j', 'x')
  await page.getByRole('button', { name: 'Clear' }).press('Enter')
  t.notOk(await page.locator('.selbar').isVisible())
  t.equal(await focused(), 'data1')
  t.equal(await kept(), '0')
})

t.test('← closes the section of a row, → opens it, and the focus stays', async t => {
  await box('Platform').focus()
  await press('ArrowLeft')
  await box('platform0').waitFor({ state: 'detached' })
  t.equal(await focused(), 'section Platform')
  await press('ArrowRight')
  await box('platform0').waitFor()
  t.equal(await focused(), 'section Platform')
  await press('ArrowDown', 'x', 'Home', 'ArrowLeft')
  await box('data0').waitFor({ state: 'detached' })
  t.equal(await count(), '1', 'what was ticked a moment ago is not lost')
  t.equal(await kept(), '1')
})

t.test('Enter and o open the row and send nothing; Ctrl+Enter opens the review if anyone is selected', async t => {
  await box('data1').focus()
  await press('Enter')
  await page.waitForURL(`/people/${id('data1')}`)
  await page.goto(base)
  await box('data2').focus()
  await press('o')
  await page.waitForURL(`/people/${id('data2')}`)
  await page.goto(base)
  await box('data1').focus()
  await press('Control+Enter')
  t.match(page.url(), /\/groups\/\d+\?by/, 'no one is selected')
  await press('x', 'Control+Enter')
  await page.waitForURL(/\/review\?selection=\d+$/)
  t.match(await page.locator('h1').textContent(), '1 person gets an invitation')
})

t.test('typing searches after a moment, and letters are letters there', async t => {
  const asked: string[] = []
  page.on('response', answer => answer.request().method() === 'POST' && asked.push(answer.url()))
  await press('/')
  await page.keyboard.type('platform 11', { delay: 30 })
  await page.waitForURL(/q=platform\+11/)
  await box('platform0').waitFor({ state: 'detached' })
  t.equal(await page.locator('#q').inputValue(), 'platform 11')
  t.equal(await focused(), 'q')
  t.ok(asked.length <= 3, `${asked.length} requests for eleven keys`)
  t.equal(await page.locator('[data-person]').count(), 10)
})

t.test('with shortcuts off letters do nothing, arrows and Space work', async t => {
  await page.evaluate(() => {
    document.documentElement.dataset.shortcuts = 'off'
  })
  await box('data1').focus()
  await press('j', 'x')
  t.equal(await focused(), 'data1')
  t.notOk(await box('data1').isChecked())
  await press('ArrowDown', 'Space')
  t.equal(await focused(), 'data2')
  t.ok(await box('data2').isChecked())
})

t.test('lists without check boxes have the same keys for their links', async t => {
  await page.goto('/groups')
  await press('j')
  t.equal(await page.locator(':focus').textContent(), 'Engineering')
  await press('Enter')
  await page.waitForURL(`/groups/${group.id}`)
  await press('g', 't')
  await page.waitForURL('/teams')
  await press('k', 'o')
  await page.waitForURL(`/teams/${group.teamId}`)
  await press('g', 'g')
  await page.waitForURL('/groups')
})

t.test('a selection whose answer is lost is sent with the form', async t => {
  await page.route('**/selections', route => route.abort())
  await box('data0').focus()
  await press('x')
  await page.unroute('**/selections')
  await press('Control+Enter')
  await page.waitForURL(/\/review\?selection=\d+$/)
  t.match(await page.locator('h1').textContent(), '1 person gets an invitation')
})

t.test('the browser reported no errors', async t =>
  t.same(
    site.faults.filter(fault => !/ERR_FAILED/.test(fault)),
    []
  )
)
