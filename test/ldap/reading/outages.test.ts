/** R7: a directory that is down, hangs or is very slow costs seconds and changes nothing. The times are shortened here. */
import net, { type AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import type { DirectorySettings } from '../../../src/ldap/directory.ts'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { usualLimits } from '../../../src/ldap/wire/limits.ts'
import { encodeEntry, message, result, type Script, startFake } from '../../support/fake-directory.ts'
import { dnOf, group, person, settingsFor, startSlapd, suffix } from '../../support/slapd.ts'

const limits = { connect: 500, handshake: 500, silence: 300, answer: 1_500 }

test('R7: Rollcall waits for the directory for at most ten seconds of silence', async t => {
  t.ok(usualLimits.connect <= 10_000 && usualLimits.handshake <= 10_000 && usualLimits.silence <= 10_000)
})

/** Every request fails in time with a clear message, and reports no one. */
async function fails(t: Test, settings: DirectorySettings, words: RegExp) {
  const directory = openDirectory(settings, limits)
  const began = performance.now()
  let taken = 0
  const outcome = await directory.readGroup('00000000-0000-0000-0000-000000000000', async set => {
    taken += set.length
  })
  t.match(outcome, { outcome: 'failed', reason: words })
  await t.rejects(directory.searchGroups('staff', 5), { name: 'DirectoryProblem', message: words })
  t.match(await directory.checkPassword({ address: 'ada@larkfield.example' }, 'right'), {
    outcome: 'unavailable',
    reason: words
  })
  t.match((await directory.test()).at(-1), { ok: false, text: words })
  t.ok(performance.now() - began < 4 * 3_000)
  t.equal(taken, 0)
}

test('R7: nothing listens on the port', async t => {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  await fails(t, settingsFor(`ldap://127.0.0.1:${port}`), /nothing is listening there \(ECONNREFUSED\)/)
})

test('R7: the host name does not resolve', async t => {
  const steps = await openDirectory({ ...settingsFor('ldaps://nowhere.invalid'), baseDn: suffix }, limits).test()
  t.match(steps, [{ name: 'resolve', ok: false, text: /Looking up nowhere\.invalid/ }])
})

test('R7: with a stopped server (SIGSTOP) the system accepts connections, and nothing answers', async t => {
  const server = await startSlapd({ entries: [person('ada'), group('staff', [dnOf('ada')])] })
  t.teardown(() => server.stop())
  t.ok((await openDirectory(server.settings).test()).every(step => step.ok))
  process.kill(server.pid, 'SIGSTOP')
  await fails(t, server.settings, /no complete answer in time/)
  process.kill(server.pid, 'SIGCONT')
  t.ok(
    (await openDirectory(server.settings).test()).every(step => step.ok),
    'and is there again when it is back'
  )
})

test('R7: if the server stops during many readings, all of them end in time', async t => {
  const many = Array.from({ length: 1_500 }, (_, index) => `p${index}`)
  const server = await startSlapd({ entries: [...many.map(uid => person(uid)), group('all', many.map(dnOf))] })
  t.teardown(() => server.stop())
  const directory = openDirectory(server.settings, limits)
  const [all] = (await directory.searchGroups('all', 1)).groups
  const outcomes = await Promise.all(
    [1, 2, 3].map(() =>
      directory.readGroup(all!.id, async () => {
        process.kill(server.pid, 'SIGSTOP')
      })
    )
  )
  for (const outcome of outcomes) t.match(outcome, { outcome: 'failed' })
})

const faults: [string, Script, RegExp][] = [
  ['a reset (RST)', ({ socket }) => !!socket.resetAndDestroy(), /broke|closed/],
  ['a goodbye (FIN)', ({ socket }) => !!socket.end(), /closed/],
  ['a black hole', () => true, /no complete answer in time/],
  ['a crawl, byte by byte', crawl, /no complete answer in time/],
  ['a black hole after signing in', ({ kind }) => kind === 'search', /no complete answer in time/],
  ['a reset after signing in', ({ kind, socket }) => kind === 'search' && !!socket.resetAndDestroy(), /broke|closed/],
  ['half a message and a goodbye', halfMessage, /closed/]
]

function crawl({ socket, id }: Parameters<Script>[0]) {
  const bytes = message(id, encodeEntry({ dn: suffix, attributes: { cn: ['x'.repeat(200)] } }))
  let sent = 0
  const timer = setInterval(() => {
    socket.write(bytes.subarray(sent, ++sent))
    if (sent >= bytes.length) clearInterval(timer)
  }, 20)
  socket.once('close', () => clearInterval(timer))
  return true
}

function halfMessage({ socket, id }: Parameters<Script>[0]) {
  socket.end(message(id, encodeEntry({ dn: suffix, attributes: { cn: ['x'] } })).subarray(0, 12))
  return true
}

for (const [what, script, words] of faults)
  test(`R7: ${what}`, async t => {
    const fake = await startFake({ script })
    t.teardown(() => fake.stop())
    await fails(t, settingsFor(fake.url), words)
  })

test('R7: every refusal of the bind is explained, including Active Directory’s', async t => {
  const says = (data: string) =>
    `80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data ${data}, v4563`
  const cases: [number, string, RegExp][] = [
    [49, '', /DN or the password is wrong/],
    [49, says('52e'), /the password is wrong/],
    [49, says('525'), /no such account/],
    [49, says('532'), /password has expired/],
    [49, says('533'), /disabled/],
    [49, says('775'), /locked/],
    [8, '', /stronger way/],
    [13, 'TLS required', /requires encryption.*TLS required/],
    [53, 'unauthenticated bind disallowed', /unwilling/],
    [80, 'strange', /the server refused \(result 80\).*strange/]
  ]
  for (const [code, text, words] of cases) {
    const fake = await startFake({
      script: ({ kind, id }, reply) => kind === 'bind' && reply.raw(message(id, result(0x61, code, text)))
    })
    const step = (await openDirectory(settingsFor(fake.url), limits).test()).at(-1)
    t.match(step, { name: 'bind', ok: false, text: words, advice: String })
    await fake.stop()
  }
})

test('a bind without a password is refused here, because servers report it as success', async t => {
  const fake = await startFake()
  t.teardown(() => fake.stop())
  const steps = await openDirectory({ ...settingsFor(fake.url), bindPassword: '' }, limits).test()
  t.match(steps.at(-1), { name: 'bind', ok: false, text: /password is empty/ })
  t.equal(fake.requests.length, 0)
})
