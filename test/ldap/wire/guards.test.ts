/** The defects of ldapts listed in docs/requirements.md, and what Rollcall does instead. L14, L17, L21, L22: ../syntax. */
import { SearchRequest } from 'ldapts'
import { type Test, test } from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { everything } from '../../../src/ldap/syntax/literal.ts'
import { connect } from '../../../src/ldap/wire/connect.ts'
import { usualLimits } from '../../../src/ldap/wire/limits.ts'
import { pagesOf, searchOnce } from '../../../src/ldap/wire/pages.ts'
import { encodeEntry, type FakeOptions, message, result, startFake, tlv } from '../../support/fake-directory.ts'
import { settingsFor, suffix } from '../../support/slapd.ts'

const limits = { ...usualLimits, connect: 1_000, handshake: 400, silence: 400, answer: 2_000 }
const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    dn: `uid=p${index},${suffix}`,
    attributes: { objectClass: ['inetOrgPerson'], uid: [`p${index}`] }
  }))
const whole = { base: suffix, scope: 'sub' as const, filter: everything, attributes: ['uid'], doing: 'Reading' }

async function open(t: Test, options: FakeOptions = {}, own = {}) {
  const fake = await startFake(options)
  t.teardown(() => fake.stop())
  const settings = settingsFor(fake.url)
  return { fake, settings, connection: await connect(settings, { ...limits, ...own }) }
}

async function collect(pages: AsyncGenerator<{ dn: string }[]>) {
  const found: string[] = []
  for await (const page of pages) found.push(...page.map(entry => entry.dn))
  return found
}

test('L1: a page without entries but with a cookie is followed', async t => {
  const { connection } = await open(t, {
    entries: numbered(30),
    script: ({ kind, nth, page }, reply) => {
      if (kind !== 'search' || nth % 2 === 1) return false
      return reply.done(0, '', page!.cookie || '0')
    }
  })
  t.equal((await collect(pagesOf(connection, whole, 10))).length, 30)
  connection.close()
})

test('L1: empty pages without end are an error, not a loop', async t => {
  const { connection } = await open(t, {
    script: ({ kind }, reply) => kind === 'search' && reply.done(0, '', 'same')
  })
  await t.rejects(collect(pagesOf(connection, whole, 10)), { message: /endless pages with nothing new/ })
})

test('L2: Rollcall never sends a size limit, and the server’s own limit is an error', async t => {
  const { fake, connection } = await open(t, {
    entries: numbered(30),
    script: ({ kind, nth }, reply) => kind === 'search' && nth === 1 && reply.done(4, 'prtotal', '')
  })
  await t.rejects(collect(pagesOf(connection, whole, 10)), { message: /size limit.*result 4.*prtotal/ })
  t.ok(fake.requests.every(({ sizeLimit }) => sizeLimit === 0))
})

test('L3: Rollcall sends no time limit, so the server does not stop after ten seconds', async t => {
  const { fake, connection } = await open(t, { entries: numbered(1) })
  await searchOnce(connection, whole)
  t.same(
    fake.requests.map(({ timeLimit }) => timeLimit),
    [0]
  )
})

test('L4, L10: a connection that was dropped, even in the middle of a message, is never reused', async t => {
  const { fake, connection } = await open(t, {
    script: ({ socket, id }) => {
      socket.write(message(id, encodeEntry({ dn: suffix, attributes: { uid: ['x'] } })).subarray(0, 20))
      socket.resetAndDestroy()
      return true
    }
  })
  await t.rejects(searchOnce(connection, whole), { name: 'DirectoryProblem' })
  await t.rejects(searchOnce(connection, whole), { name: 'DirectoryProblem' })
  t.equal(fake.requests.length, 1, 'the second question was never sent')
})

test('L9: first requests that are sent at once do not wait for each other', async t => {
  const { settings, connection } = await open(t, { entries: numbered(3) })
  connection.close()
  const directory = openDirectory({ ...settings, groupFilter: '(uid=*)', attributes: { id: 'uid' } }, limits)
  const answers = await Promise.all([1, 2, 3, 4].map(() => directory.searchGroups('', 10)))
  t.same(
    answers.map(({ groups }) => groups.length),
    [3, 3, 3, 3]
  )
})

test('L11: an unreadable message fails all requests at once, and none waits', async t => {
  const { connection } = await open(t, {
    script: ({ socket, id }) => {
      const bad = tlv(0x30, tlv(2, Buffer.from([id])), tlv(0x64, tlv(4, 'cn=a')))
      socket.write(Buffer.concat([bad, message(id, result(0x65, 0))]))
      return true
    }
  })
  const [one, other] = await Promise.allSettled([searchOnce(connection, whole), searchOnce(connection, whole)])
  t.match(one, { status: 'rejected', reason: { message: /malformed/ } })
  t.equal(other.status, 'rejected')
})

test('L11: an unrequested answer or an unknown operation ends the connection', async t => {
  for (const bytes of [
    message(99, result(0x65, 0)),
    message(1, result(0x6d, 0)),
    message(0, result(0x78, 52, 'bye'))
  ]) {
    const { connection } = await open(t, { script: ({ socket }) => socket.write(bytes) || true })
    await t.rejects(searchOnce(connection, whole), { message: /misbehaves|ended/ })
  }
})

test('L12: 130,000 entries in one answer do not overflow the stack', async t => {
  const count = 130_000
  const { connection } = await open(
    t,
    {
      script: ({ socket, id }) => {
        const one = message(id, encodeEntry({ dn: suffix, attributes: {} }))
        socket.write(Buffer.concat([...Array<Buffer>(count).fill(one), message(id, result(0x65, 0))]))
        return true
      }
    },
    { silence: 20_000, answer: 20_000 }
  )
  t.equal((await searchOnce(connection, whole)).length, count)
  connection.close()
})

test('L16: a referral is an error of the settings, and references to other servers are skipped', async t => {
  const { connection } = await open(t, {
    entries: numbered(1),
    script: ({ kind, nth, id, socket }, reply) => {
      if (kind !== 'search') return false
      if (nth === 0) socket.write(message(id, tlv(0x73, tlv(4, 'ldap://other.example/dc=x'))))
      else reply.done(10)
      return nth > 0
    }
  })
  t.equal((await searchOnce(connection, whole)).length, 1)
  await t.rejects(searchOnce(connection, whole), {
    message: /refers us elsewhere/,
    advice: /server that holds this base/
  })
})

test('L18: a deadline is for silence: a long answer may take its time, up to a limit', async t => {
  const stream: FakeOptions['script'] = ({ socket, id }) => {
    let left = 8
    const timer = setInterval(() => {
      left -= 1
      socket.write(message(id, left > 0 ? encodeEntry({ dn: suffix, attributes: {} }) : result(0x65, 0)))
      if (left === 0 || socket.destroyed) clearInterval(timer)
    }, 50)
    return true
  }
  const patient = await open(t, { script: stream }, { silence: 300 })
  t.equal((await searchOnce(patient.connection, whole)).length, 7)
  patient.connection.close()
  const strict = await open(t, { script: stream }, { silence: 300, answer: 120 })
  await t.rejects(searchOnce(strict.connection, whole), { message: /no complete answer in time/ })
})

test('L19: an abort ends the connection at once, with the abort’s reason', async t => {
  const abort = new AbortController()
  const reason = new Error('the browser disconnected')
  const fake = await startFake({
    script: ({ kind }) => {
      if (kind === 'search') abort.abort(reason)
      return kind === 'search'
    }
  })
  t.teardown(() => fake.stop())
  const directory = openDirectory(settingsFor(fake.url), limits)
  await t.rejects(directory.searchGroups('x', 5, abort.signal), reason)
  await Promise.all([...fake.sockets].map(socket => new Promise(resolve => socket.once('close', resolve))))
  t.equal(fake.sockets.size, 0)
  await t.rejects(directory.searchGroups('x', 5, abort.signal), reason)
  await t.rejects(
    directory.readGroup('x', async () => {}, abort.signal),
    reason
  )
  await t.rejects(directory.checkPassword({ address: 'x@larkfield.example' }, 'y', abort.signal), reason)
})

test('L20: intermediate responses are skipped', async t => {
  const { connection } = await open(t, {
    entries: numbered(2),
    script: ({ id }, reply) => !reply.raw(message(id, tlv(0x79, tlv(0x80, '1.3.6.1.4.1.4203.1.9.1.4'))))
  })
  t.equal((await searchOnce(connection, whole)).length, 2)
  connection.close()
})

test('L23: if a cookie is missing midway, the rest counts as lost', async t => {
  const { connection } = await open(t, {
    entries: numbered(30),
    script: ({ kind, nth }, reply) => kind === 'search' && nth === 1 && reply.done()
  })
  await t.rejects(collect(pagesOf(connection, whole, 10)), { message: /stopped answering in pages/ })
})

test('F14: one answer, and one connection, are limited in bytes', async t => {
  const endless: FakeOptions['script'] = ({ socket, id }) => {
    const one = message(id, encodeEntry({ dn: suffix, attributes: { uid: ['x'.repeat(1_000)] } }))
    const write = () => void (socket.destroyed || socket.write(Buffer.concat(Array<Buffer>(50).fill(one)), write))
    write()
    return true
  }
  const answer = await open(t, { script: endless }, { answerBytes: 200_000 })
  await t.rejects(searchOnce(answer.connection, whole), { message: /one answer has more than 200000 bytes/ })
  const connection = await open(t, { script: endless }, { connectionBytes: 200_000 })
  await t.rejects(searchOnce(connection.connection, whole), { message: /more than 200000 bytes/ })
})

test('aliases are never followed, and only the attributes that we name are requested', async t => {
  const { fake, connection } = await open(t, { entries: numbered(1) })
  await searchOnce(connection, whole)
  t.same(fake.requests[0]!.attributes, ['uid'])
  t.equal(new SearchRequest({ messageId: 1, filter: everything }).derefAliases, 'never')
  connection.close()
})
