import t from 'tap'
import { findingsOf, startSite } from '../support/browser.ts'
import { codeFrom, rule } from '../support/second-factor.ts'

const site = await startSite()
t.teardown(site.close)

t.test('S17: a person adds a passkey and signs in with it alone, in a real browser', async t => {
  const page = await site.open()
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true
    }
  })
  await site.signIn(page, 'ada')
  await page.goto('/me/passkeys')
  t.same(await findingsOf(page), [])
  await page.getByLabel('Name', { exact: true }).fill('Soft key')
  await page.getByRole('button', { name: 'Add passkey' }).click()
  await page.getByText('Passkey added: Soft key.').waitFor()
  t.same(await findingsOf(page), [])

  await page.context().clearCookies()
  await page.goto('/sign-in?next=/people')
  t.same(await findingsOf(page), [])
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL('**/people')
  t.same(site.faults, [])
})

t.test('an authenticator app is set up and asked for, with and without JavaScript', async t => {
  const page = await site.open({ javaScriptEnabled: false })
  await rule(site.db, 'everybody')
  t.teardown(() => rule(site.db, 'off'))
  await page.goto('/sign-in')
  await page.getByLabel('Email address').fill('ben@larkfield.example')
  await page.getByLabel('Password').fill('seven-otters-swim-north')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL('**/me/second-factor')
  await page.getByRole('button', { name: 'Set up' }).click()
  const secret = (await page.locator('[data-secret]').innerText()).replaceAll(' ', '')
  t.ok(await page.getByRole('img', { name: 'QR code' }).isVisible())
  await page.getByRole('textbox', { name: 'Code' }).fill(codeFrom(secret))
  await page.getByRole('button', { name: 'Turn on' }).click()
  t.equal(await page.locator('[data-recovery-code]').count(), 10)

  const other = await site.open()
  await other.goto('/sign-in')
  await other.getByLabel('Email address').fill('ben@larkfield.example')
  await other.getByLabel('Password').fill('seven-otters-swim-north')
  await other.getByRole('button', { name: 'Sign in', exact: true }).click()
  t.same(await findingsOf(other), [])
  await other.getByLabel('Code from your authenticator app').fill(codeFrom(secret, 30))
  await other.getByRole('button', { name: 'Sign in', exact: true }).click()
  await other.waitForURL(`${site.baseUrl}/`)
  await other.goto('/me/second-factor')
  t.same(await findingsOf(other), [])
  await other.goto('/me')
  t.same(await findingsOf(other), [])
  t.same(site.faults, [])
})
