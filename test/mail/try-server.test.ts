/** The test at Settings › Mail: each step with the server's own words. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import t from 'tap'
import { testEmail } from '../../src/mail/test-email.ts'
import { tryServer } from '../../src/mail/wire/try-server.ts'
import { makeAuthority } from '../support/certificates.ts'
import { startScripted } from '../support/scripted-smtp.ts'
import { settingsFor, startMailServer } from '../support/smtp-server.ts'

const to = (address: string) =>
  testEmail(
    { name: 'Larkfield', address: 'rollcall@larkfield.example' },
    { name: 'Ada', address },
    'http://localhost:3000'
  )
const namesOf = (steps: { name: string }[]) => steps.map(({ name }) => name)
const lastOf = <T>(steps: T[]) => steps.at(-1)

t.test('an email that the server accepts passes every step', async t => {
  const server = await startMailServer()
  t.teardown(server.stop)
  const steps = await tryServer(server.settings, to('ada@larkfield.example'))
  t.same(namesOf(steps), ['name', 'connection', 'greeting', 'tls', 'sign-in', 'sender', 'recipient', 'accepted'])
  t.ok(steps.every(({ ok }) => ok))
  t.match(steps[1]?.text, /^Connected to 127\.0\.0\.1, port \d+\.$/)
  t.match(steps[2]?.text, /^220 /)
  t.equal(steps[3]?.text, 'Not encrypted.')
  t.match(lastOf(steps), { text: '250 2.0.0 kept as 1' })
  t.match(server.mails, [{ from: 'rollcall@larkfield.example', to: ['ada@larkfield.example'] }])
  t.match(String(server.mails[0]?.raw), /Subject: Test from Rollcall\r\n[\s\S]*If you can read it/)
})

t.test('with TLS and a sign-in it names the certificate and the reply, and never the password', async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-ca-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const authority = makeAuthority(folder)
  const { key, certificate } = authority.issue('DNS:localhost')
  const isRight = (password: unknown) => password === 'canary-password'
  const server = await startMailServer({
    key,
    cert: certificate,
    onAuth: ({ password, username }, _session, done) =>
      isRight(password) ? done(null, { user: username ?? '' }) : done(new Error('no such sign-in'))
  })
  t.teardown(server.stop)
  const settings = {
    ...server.settings,
    host: 'localhost',
    requireTls: true,
    user: 'rollcall',
    password: 'canary-password'
  }
  const steps = await tryServer(settings, to('ada@larkfield.example'), authority.ca)
  t.match(steps[3]?.text, /^TLSv1\.3; certificate for DNS:localhost from Larkfield CA, valid until .+, trusted\.$/)
  t.match(steps[4]?.text, /^Signed in as rollcall: 235/)
  t.match(lastOf(steps), { name: 'accepted', ok: true })

  const refused = await tryServer({ ...settings, password: 'canary-wrong' }, to('ada@larkfield.example'), authority.ca)
  t.match(lastOf(refused), { name: 'sign-in', ok: false, text: /535/ })
  t.equal(refused[3]?.text, 'Encrypted.')
  const unknown = await tryServer(settings, to('ada@larkfield.example'))
  t.match(lastOf(unknown), { name: 'tls', ok: false, text: /certificate/ })
  t.notMatch(JSON.stringify([steps, refused, unknown]), 'canary')
  t.equal(server.mails.length, 1)
})

t.test('each refusal ends the test at its step', async t => {
  for (const [script, address, name, text] of [
    [{ greeting: '554 5.7.1 go away' }, 'ada', 'greeting', /554 5\.7\.1 go away/],
    [{ mail: '550 5.7.1 sender unknown' }, 'ada', 'sender', /550 5\.7\.1 sender unknown/],
    [{}, 'r550.ada', 'recipient', /550 5\.1\.1 no such user/],
    [{}, 'd554.ada', 'accepted', /554 5\.5\.1 no/],
    [{}, 'e554.ada', 'accepted', /554 5\.7\.1 spam/]
  ] as const) {
    const server = await startScripted(script)
    const steps = await tryServer(server.settings, to(`${address}@larkfield.example`))
    t.match(lastOf(steps), { name, ok: false, text }, name)
    t.ok(steps.slice(0, -1).every(({ ok }) => ok))
    await server.stop()
  }
  t.match(lastOf(await tryServer(settingsFor(1), to('ada@larkfield.example'))), {
    name: 'connection',
    ok: false,
    text: /ECONNREFUSED/
  })
  const nowhere = await tryServer({ ...settingsFor(25), host: 'no.such.host.invalid' }, to('ada@larkfield.example'))
  t.match(nowhere, [{ name: 'name', ok: false }])
  t.match(nowhere[0]?.text, 'no.such.host.invalid was not found')
})
