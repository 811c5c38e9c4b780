/** Errors that only a browser shows: after polling, in the clipboard, with the focus. */
import t from 'tap'
import { startSite } from '../support/browser.ts'
import { inviteOne, one, sql } from '../support/people.ts'
import { transportThat } from '../support/transports.ts'

t.jobs = 3

t.test('heading, title, buttons and confirmation of a running batch follow its progress', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const ben = await site.open()
  await site.signIn(ben, 'ben')
  await ben.goto('/invite')
  for (const n of [1, 2, 3]) await ben.locator(`#email-${n}`).fill(`person${n}@larkfield.example`)
  await ben.getByRole('button', { name: 'Send invitations' }).click()
  await ben.getByRole('heading', { name: '3 invitations on the way' }).waitFor()
  await ben.getByRole('button', { name: 'Cancel batch…' }).click()
  await ben.getByText('3 invitations have not been sent yet').waitFor()
  await site.work(
    transportThat(mail =>
      mail.to.startsWith('person1')
        ? { is: 'recipient-failed', reply: '550 no', suppress: false }
        : { is: 'deferred', reply: '451 later' }
    )
  )
  await ben.getByText('2 invitations have not been sent yet').waitFor()
  t.equal(await ben.locator('h1').textContent(), '2 invitations on the way')
  t.match(await ben.title(), '2 invitations on the way – Rollcall')
  t.ok(await ben.locator('#cancellation').isVisible(), 'the question stays open')
  await ben.keyboard.press('Escape')
  await ben.getByRole('button', { name: 'Try 1 failed email again' }).waitFor()
  t.same(site.faults, [])
})

t.test('without JavaScript the bar below a list says what to do and covers nothing', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const lines = Array.from({ length: 8 }, (_, n) => `person ${n}@larkfield.example`).join('\n')
  for (const viewport of [
    { width: 1280, height: 500 },
    { width: 390, height: 500 }
  ]) {
    const ben = await site.open({ javaScriptEnabled: false, viewport })
    await site.signIn(ben, 'ben')
    await ben.goto('/bulk')
    await ben
      .getByLabel('Text file')
      .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from(lines) })
    await ben.getByRole('button', { name: 'Check only' }).click()
    await site.work()
    await ben.reload()
    const bar = ben.getByRole('region', { name: 'Selection' })
    t.equal((await bar.locator('p:visible').allTextContents()).join(), 'Select the lines to correct.')
    const last = await ben.locator('.corrections tbody tr').last().boundingBox()
    t.ok((await bar.boundingBox())!.y >= last!.y + last!.height, 'it is below the last line')
  }
})

t.test('Copy link copies at once with JavaScript, and opens a page without', async t => {
  const site = await startSite()
  t.teardown(site.close)
  const { personId } = await inviteOne(site.db, site.ids.ben, 'copy@larkfield.example')
  const ben = await site.open({ permissions: ['clipboard-read', 'clipboard-write'] })
  await site.signIn(ben, 'ben')
  await ben.goto(`/people/${personId}`)
  await ben.getByRole('button', { name: 'Copy link' }).click()
  await ben.getByText('Link copied.').waitFor()
  t.match(await ben.evaluate(() => navigator.clipboard.readText()), /\/join\/[\w-]{43}$/)
  t.equal(new URL(ben.url()).pathname, `/people/${personId}`)
  const plain = await site.open({ javaScriptEnabled: false })
  await site.signIn(plain, 'ben')
  await plain.goto(`/people/${personId}`)
  await plain.getByRole('button', { name: 'Show link…' }).click()
  await plain.getByRole('heading', { name: 'Invitation link' }).waitFor()
  const events = sql`select string_agg(details ->> 'how', ' ' order by id) as how from events where kind = 'link-shown'`
  t.match(await one(site.db, events), { how: 'copied shown' })
  t.same(site.faults, [])
})
