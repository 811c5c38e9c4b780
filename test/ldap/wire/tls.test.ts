/** S14: no secret is ever sent in clear, and no server is trusted that cannot prove its identity. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Test, test } from 'tap'
import type { DirectorySettings } from '../../../src/ldap/directory.ts'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { type FakeOptions, message, result, startFake } from '../../support/fake-directory.ts'
import { bindPassword, dnOf, group, person, settingsFor, startSlapd } from '../../support/slapd.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-certificates-'))
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
const authority = makeAuthority(folder)
const good = authority.issue('DNS:localhost,IP:127.0.0.1')
const limits = { connect: 1_000, handshake: 400, silence: 400, answer: 2_000 }

async function slapd(t: Test) {
  const server = await startSlapd({
    entries: [person('ada', { userPassword: 'ada-secret-1' }), group('staff', [dnOf('ada')])],
    tls: { ...good, ca: authority.ca }
  })
  t.teardown(() => server.stop())
  return server
}

async function fakeWith(t: Test, options: FakeOptions) {
  const fake = await startFake(options)
  t.teardown(() => fake.stop())
  return fake
}

const secrets = [bindPassword, 'larkfield']

/** The step that failed, and whether a secret or a name was sent before it. */
async function failure(t: Test, settings: DirectorySettings, received: Buffer[]) {
  const steps = await openDirectory(settings, limits).test()
  const clear = Buffer.concat(received).toString('latin1')
  for (const secret of secrets) t.notOk(clear.includes(secret), `${secret} was not sent`)
  return steps.at(-1)!
}

test('7: ldaps and StartTLS with a certificate of our own authority', async t => {
  const server = await slapd(t)
  for (const url of [server.ldapsUrl, server.ldapsUrl.replace('127.0.0.1', 'localhost')]) {
    const steps = await openDirectory({ ...settingsFor(url), ca: authority.ca }).test()
    t.ok(
      steps.every(step => step.ok),
      url
    )
    t.match(steps.find(step => step.name === 'tls')!.text, /TLSv1.*localhost, 127\.0\.0\.1, issued by Larkfield CA/)
  }
  for (const url of [server.url, server.url.replace('127.0.0.1', 'localhost')]) {
    const directory = openDirectory({ ...settingsFor(url), startTls: true, ca: authority.ca })
    t.ok(
      (await directory.test()).every(step => step.ok),
      url
    )
    t.match(await directory.checkPassword({ address: 'ada@larkfield.example' }, 'ada-secret-1'), { outcome: 'right' })
  }
})

test('8: an authority in the settings does not turn ldap:// into ldaps://', async t => {
  const server = await slapd(t)
  const steps = await openDirectory({ ...settingsFor(server.url), ca: authority.ca }).test()
  t.ok(steps.every(step => step.ok))
})

const refused: [string, () => ReturnType<typeof authority.issue>, RegExp][] = [
  ['signed by itself', () => authority.selfSigned('DNS:localhost,IP:127.0.0.1'), /self-signed/],
  ['for another name', () => authority.issue('DNS:other.example'), /for another name/],
  ['7: for localhost only, asked by address', () => authority.issue('DNS:localhost'), /for another name/],
  ['expired', () => authority.issue('DNS:localhost,IP:127.0.0.1', -1), /expired/],
  ['from an untrusted authority', () => makeAuthority(other()).issue('IP:127.0.0.1'), /does not trust|expired/]
]
function other() {
  const made = path.join(folder, 'other')
  fs.mkdirSync(made, { recursive: true })
  return made
}

for (const [what, issue, words] of refused)
  for (const way of ['ldaps', 'StartTLS'])
    test(`S14: a certificate ${what} is refused (${way}) with a reason, and nothing is sent`, async t => {
      const fake = await fakeWith(t, { certificate: issue(), isLdaps: way === 'ldaps' })
      const settings = { ...settingsFor(fake.url), startTls: way === 'StartTLS', ca: authority.ca }
      const step = await failure(t, settings, fake.received)
      t.match(step, { name: 'tls', ok: false, text: words })
      t.ok(step.advice)
      t.equal(fake.requests.filter(({ kind }) => kind === 'bind').length, 0)
    })

test('S14: without an authority in the settings only the system’s authorities are trusted', async t => {
  const fake = await fakeWith(t, { certificate: good, isLdaps: true })
  t.match(await failure(t, settingsFor(fake.url), fake.received), { name: 'tls', ok: false, text: /does not trust/ })
})

test('S14: a refused or unknown StartTLS ends the connection: the same client would bind in clear', async t => {
  for (const code of [1, 2, 52, 53]) {
    const fake = await fakeWith(t, {
      script: ({ kind, id }, reply) => kind === 'extended' && reply.raw(message(id, result(0x78, code, 'no TLS here')))
    })
    const step = await failure(t, { ...settingsFor(fake.url), startTls: true }, fake.received)
    t.match(step, { name: 'tls', ok: false, text: /StartTLS.*no TLS here/ })
    t.equal(fake.requests.length, 1, 'nothing after the refusal')
  }
})

test('S14: unencrypted data after the answer to StartTLS is refused', async t => {
  for (const more of [message(2, result(0x61, 0)), Buffer.from([0x30, 0x84])]) {
    const fake = await fakeWith(t, {
      certificate: good,
      script: ({ kind, id }, reply) =>
        kind === 'extended' && reply.raw(Buffer.concat([message(id, result(0x78, 0)), more]))
    })
    const settings = { ...settingsFor(fake.url), startTls: true, ca: authority.ca }
    t.match(await failure(t, settings, fake.received), { name: 'tls', ok: false })
    t.equal(fake.requests.length, 1)
  }
})

test('6: a handshake that never ends has a deadline (ldaps, StartTLS, no answer to StartTLS)', async t => {
  const silent = await fakeWith(t, {
    script: ({ kind, id }, reply) =>
      kind === 'other' || (kind === 'extended' && reply.raw(message(id, result(0x78, 0))))
  })
  t.match(await failure(t, { ...settingsFor(silent.url), startTls: true }, silent.received), { name: 'tls', ok: false })
  const mute = await fakeWith(t, { script: () => true })
  t.match(await failure(t, { ...settingsFor(mute.url), startTls: true }, mute.received), {
    name: 'tls',
    text: /no complete answer in time/
  })
  const deaf = { ...settingsFor(mute.url.replace('ldap:', 'ldaps:')) }
  t.match(await failure(t, deaf, []), { name: 'tls', ok: false, text: /no answer/ })
})

test('5: a connection that drops after StartTLS fails, and does not hang', async t => {
  const fake = await fakeWith(t, {
    certificate: good,
    script: ({ kind, socket }) => kind === 'search' && !!socket.destroy()
  })
  const settings = { ...settingsFor(fake.url), startTls: true, ca: authority.ca }
  t.match((await openDirectory(settings, limits).test()).at(-1), { ok: false, text: /closed|broke/ })
})

test('S14: unencrypted connections go only to this machine, unless the settings allow others', async t => {
  const plain = { ...settingsFor('ldap://directory.larkfield.example'), allowPlain: false }
  t.match((await openDirectory(plain).test())[0], {
    name: 'resolve',
    ok: false,
    text: /unencrypted/,
    advice: /ldaps:\/\//
  })
  const fake = await fakeWith(t, {})
  const steps = await openDirectory(settingsFor(fake.url), limits).test()
  t.match(steps[2], { name: 'tls', ok: true, text: /on this machine only/ })
})

test('a port without TLS and an authority that is not PEM are reported clearly', async t => {
  const talkative = await fakeWith(t, {})
  const wrong = await failure(t, { ...settingsFor(talkative.url.replace('ldap:', 'ldaps:')) }, [])
  t.match(wrong, { name: 'tls', ok: false })
  const server = await slapd(t)
  const steps = await openDirectory({ ...settingsFor(server.ldapsUrl), ca: 'no certificate' }).test()
  t.match(steps.at(-1), { name: 'tls', ok: false })
})

test('invalid addresses are refused before any look-up', async t => {
  for (const url of ['', 'http://x', 'ldap:', 'ldap://u:p@x', 'ldap://x/dc=x', 'ldap://x?y', 'ldapi://x', 'x'])
    t.match((await openDirectory(settingsFor(url)).test())[0], {
      name: 'resolve',
      ok: false,
      text: /not a directory’s address/
    })
})
