/** R8: a partial answer is never treated as complete. 1,200 members, shown 500 at a time, in pages of 500. */
import { type Test, test } from 'tap'
import type { ReadOutcome } from '../../../src/ldap/directory.ts'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { adGroup, adOptions, adUnits, adUser, userDn } from '../../support/fake-active-directory.ts'
import { encodeEntry, type FakeDirectory, message, type Script, startFake } from '../../support/fake-directory.ts'
import { settingsFor } from '../../support/slapd.ts'

const limits = { connect: 2_000, handshake: 2_000, silence: 2_500, answer: 10_000 }
const names = Array.from({ length: 1_200 }, (_, index) => `p${index}`)
const users = names.map(name => adUser(name, ['all']))
const other = adUser('other', ['another'])
const all = adGroup('all', names.map(userDn))
const another = adGroup('another', [userDn('other')])
const entries = [...adUnits, all, another, ...users, other]
// its number depends on the files that this process ran before
const [guid] = all.attributes.objectGUID as [Buffer]
const id = `000000ad-0000-0000-0000-${guid.toString('hex').slice(-12)}`

async function read(t: Test, script: Script, change: (fake: FakeDirectory) => void = () => {}) {
  const fake = await startFake({ ...adOptions, entries, script })
  t.teardown(() => fake.stop())
  change(fake)
  let taken = 0
  const outcome = await openDirectory(settingsFor(fake.url), limits).readGroup(id, async set => {
    taken += set.length
  })
  return { fake, outcome, taken }
}

/** The page of people with this number, from 0: the search by back link. */
const isPage = (number: number, { kind, page }: Parameters<Script>[0]) =>
  kind === 'search' && page?.size === 500 && Number(page.cookie || 0) === number * 500

function isIncomplete(t: Test, outcome: ReadOutcome, words: RegExp) {
  if (outcome.outcome === 'read') {
    t.ok(outcome.reading.problems.length > 0, 'not proved complete')
    t.match(outcome.reading.problems.join(' '), words)
  } else {
    t.equal(outcome.outcome, 'failed')
    t.match(outcome, { reason: words })
  }
}

const results: [string, number, RegExp][] = [
  ['1 size limit', 4, /size limit/],
  ['2 time limit', 3, /time limit/],
  ['3 limit of paged results (prtotal)', 4, /also for paged results/],
  ['4 administrative limit', 11, /administrative limit/],
  ['5 referral', 10, /refers us elsewhere/],
  ['busy', 51, /busy/],
  ['no such object', 32, /no such entry/],
  ['code 1, as Active Directory says to nobody', 1, /operations error/]
]

for (const [name, code, words] of results)
  for (const page of [0, 1])
    test(`R8 ${name} on page ${page + 1}: failed, with the reason`, async t => {
      const { outcome } = await read(t, (request, reply) => isPage(page, request) && reply.done(code, 'says no'))
      isIncomplete(t, outcome, words)
      t.match(outcome, { reason: /says no/ })
    })

test('R8 6 reset on page 2: failed', async t => {
  const { outcome } = await read(t, request => isPage(1, request) && !!request.socket.resetAndDestroy())
  isIncomplete(t, outcome, /broke|closed/)
})

test('R8 7 stall on page 2: fails in time', async t => {
  const { outcome } = await read(t, request => isPage(1, request))
  isIncomplete(t, outcome, /no complete answer in time/)
})

test('R8 8 values in parts: all of them are read, and a missing part is a failure', async t => {
  const { outcome, taken } = await read(t, () => false)
  t.match(outcome, {
    outcome: 'read',
    reading: { listed: 1_200, resolved: 1_200, ranges: 3, group: { members: 1_200 } }
  })
  t.same(outcome.outcome === 'read' && outcome.reading.problems, [])
  t.equal(taken, 1_200)
  const isPart = ({ attributes }: Parameters<Script>[0]) => attributes.some(name => /range=1000/.test(name))
  for (const broken of [
    (request => isPart(request) && !!request.socket.destroy()) as Script,
    ((request, reply) => isPart(request) && reply.done()) as Script,
    ((request, reply) => isPart(request) && reply.entry({ ...all, attributes: {} }) && reply.done()) as Script,
    ((request, reply) =>
      isPart(request) &&
      reply.raw(message(request.id, encodeEntry({ ...all, attributes: { 'member;range=1100-*': ['CN=x'] } }))) &&
      reply.done()) as Script
  ])
    isIncomplete(t, (await read(t, broken)).outcome, /missing|closed/)
})

test('R8 9 a page without entries but with a cookie: followed to the end', async t => {
  let shown = false
  const { outcome, taken } = await read(t, (request, reply) => {
    if (!isPage(1, request) || shown) return false
    shown = true
    return reply.done(0, '', request.page!.cookie)
  })
  t.match(outcome, { outcome: 'read', reading: { resolved: 1_200, strategy: 'memberOf in pages' } })
  t.equal(taken, 1_200)
})

test('R8 10 lost rights: to the people, some of the people, the members, the group, everything', async t => {
  const hide = (isHidden: (dn: string) => boolean) => (fake: FakeDirectory) => {
    fake.entries = fake.entries.filter(({ dn }) => !isHidden(dn))
  }
  const people = await read(
    t,
    () => false,
    hide(dn => dn.startsWith('CN=p'))
  )
  isIncomplete(t, people.outcome, /Not one of its 1200 members/)
  t.equal(people.taken, 0)
  isIncomplete(
    t,
    (
      await read(
        t,
        () => false,
        hide(dn => /^CN=p1/.test(dn))
      )
    ).outcome,
    /members cannot be found/
  )
  isIncomplete(
    t,
    (
      await read(
        t,
        () => false,
        hide(dn => dn.includes('OU=Staff'))
      )
    ).outcome,
    /missing or hidden/
  )
  isIncomplete(
    t,
    (
      await read(
        t,
        () => false,
        hide(dn => dn.includes('OU=Groups'))
      )
    ).outcome,
    /no longer shows any group/
  )
  isIncomplete(
    t,
    (
      await read(
        t,
        () => false,
        hide(() => true)
      )
    ).outcome,
    /no longer shows any group/
  )
  const without = (fake: FakeDirectory) => {
    fake.entries = fake.entries.map(entry => ({ ...entry, attributes: { ...entry.attributes, member: [] } }))
  }
  isIncomplete(t, (await read(t, () => false, without)).outcome, /people say that they are in it/)
  const withoutLinks = (fake: FakeDirectory) => {
    fake.entries = fake.entries.map(entry => ({
      ...entry,
      attributes: { ...entry.attributes, member: [], memberOf: [] }
    }))
  }
  isIncomplete(t, (await read(t, () => false, withoutLinks)).outcome, /neither does any other group/)
  const withoutMail = (fake: FakeDirectory) => {
    fake.entries = fake.entries.map(entry => ({ ...entry, attributes: { ...entry.attributes, mail: [] } }))
  }
  isIncomplete(t, (await read(t, () => false, withoutMail)).outcome, /No one in the directory shows an email address/)
  const withoutId = (fake: FakeDirectory) => {
    fake.entries = fake.entries.map(entry =>
      entry.dn === userDn('p7') ? { ...entry, attributes: { ...entry.attributes, objectGUID: [] } } : entry
    )
  }
  isIncomplete(t, (await read(t, () => false, withoutId)).outcome, /show no objectGUID/)
})

test('R8 11 no limit of ours: no search asks for a size limit or a time limit', async t => {
  const { fake } = await read(t, () => false)
  const searches = fake.requests.filter(({ kind }) => kind === 'search')
  t.ok(searches.length > 5)
  t.ok(searches.every(({ sizeLimit, timeLimit }) => sizeLimit === 0 && timeLimit === 0))
})

test('R8 12 the cookie is lost: the control is missing from the answer', async t => {
  const lose =
    (page: number): Script =>
    (request, reply) => {
      if (!isPage(page, request)) return false
      for (const entry of reply.matches().slice(page * 500, page * 500 + 500)) reply.entry(entry)
      return reply.done()
    }
  isIncomplete(t, (await read(t, lose(1))).outcome, /stopped answering in pages/)
  // if it never comes, the server may be unable to page: it is asked again without, and then success means complete
  t.match((await read(t, lose(0))).outcome, { outcome: 'read', reading: { resolved: 1_200, problems: [] } })
})

test('R8 an early end reported as success is detected: listed people are looked up by name', async t => {
  const { outcome, taken } = await read(t, (request, reply) => {
    if (!isPage(0, request)) return false
    for (const entry of reply.matches().slice(0, 300)) reply.entry(entry)
    return reply.done(0, '', '')
  })
  t.match(outcome, { outcome: 'read', reading: { resolved: 1_200, dangling: 0 } })
  t.equal(taken, 1_200)
})

test('4: signed out in between: Rollcall checks its identity before it believes anything', async t => {
  let asked = 0
  const fake = await startFake({
    ...adOptions,
    entries,
    script: ({ oid }) => {
      if (oid && ++asked === 2) fake.who = ''
      return false
    }
  })
  t.teardown(() => fake.stop())
  isIncomplete(
    t,
    await openDirectory(settingsFor(fake.url), limits).readGroup(id, async () => {}),
    /signed Rollcall out/
  )
  const nobody = await startFake({ ...adOptions, entries })
  t.teardown(() => nobody.stop())
  nobody.who = ''
  isIncomplete(
    t,
    await openDirectory(settingsFor(nobody.url), limits).readGroup(id, async () => {}),
    /signed us in anonymously/
  )
})

test('an entry from outside the base makes the answer untrustworthy (Keycloak CVE-2026-16071)', async t => {
  for (const dn of ['CN=evil,DC=elsewhere', 'CN=evil,OU=xdc\\=larkfield\\,dc=example', 'no dn']) {
    const { outcome } = await read(t, (request, reply) => {
      if (!isPage(1, request)) return false
      reply.entry({ ...users[0]!, dn })
      return reply.done(0, '', '')
    })
    isIncomplete(t, outcome, /which is not below dc=larkfield,dc=example/)
  }
})

test('a person who claims membership but is not listed is not added', async t => {
  const { outcome, taken } = await read(
    t,
    () => false,
    fake => {
      fake.entries = [...fake.entries, adUser('stray', ['all'])]
    }
  )
  t.match(outcome, { outcome: 'read', reading: { resolved: 1_200 } })
  t.equal(taken, 1_200)
})
