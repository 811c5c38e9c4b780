/** Complete but odd answers are read, and incomplete odd ones change nothing: 1,200 members, as R8. */
import { type Test, test } from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { adGroup, adOptions, adUnits, adUser, groupDn, userDn } from '../../support/fake-active-directory.ts'
import {
  encodeEntry,
  type FakeEntry,
  type FakeRequest,
  message,
  type Reply,
  type Script,
  startFake,
  tlv
} from '../../support/fake-directory.ts'
import { settingsFor } from '../../support/slapd.ts'

const limits = { connect: 2_000, handshake: 2_000, silence: 2_500, answer: 10_000 }
const names = Array.from({ length: 1_200 }, (_, index) => `p${index}`)
const all = adGroup('all', names.map(userDn))
const some = adGroup('some', names.slice(0, 190).map(userDn))
const primary = adGroup('primary', [], { primaryGroupToken: ['513'] })
const entries = [...adUnits, all, some, primary, ...names.map(name => adUser(name, ['all']))]
const isPeople = ({ kind, page }: FakeRequest) => kind === 'search' && page?.size === 500
const pageOf = ({ page }: FakeRequest) => Number(page!.cookie || 0) / 500

async function read(t: Test, script: Script, group: FakeEntry = all) {
  const fake = await startFake({ ...adOptions, entries, script })
  t.teardown(() => fake.stop())
  const directory = openDirectory(settingsFor(fake.url), limits)
  const found = (await directory.searchGroups('', 9)).groups.find(({ dn }) => dn === group.dn)!
  const taken: string[] = []
  const outcome = await directory.readGroup(found.id, async set => void taken.push(...set.map(({ dn }) => dn)))
  return { fake, outcome, taken }
}

async function isWhole(t: Test, script: Script, group: FakeEntry, count: number) {
  const { outcome, taken } = await read(t, script, group)
  t.match(outcome, { outcome: 'read', reading: { resolved: count, dangling: 0, problems: [] } })
  t.equal(taken.length, count)
  t.equal(new Set(taken).size, count, 'each person once')
}

async function isFailed(t: Test, script: Script, words: RegExp, group?: FakeEntry) {
  t.match((await read(t, script, group)).outcome, { outcome: 'failed', reason: words })
}

test('references to other servers among the entries of every page are skipped', async t => {
  const script: Script = (request, reply) => {
    if (isPeople(request)) reply.raw(message(request.id, tlv(0x73, tlv(4, 'ldap://other.example/DC=x'))))
    return false
  }
  await isWhole(t, script, all, 1_200)
})

test('answers in another order are matched to their requests', async t => {
  const held: (() => void)[] = []
  let most = 0
  const script: Script = (request, reply) => {
    if (request.kind !== 'search' || !request.filter.includes('distinguishedName') || request.page) return false
    held.unshift(() => {
      for (const entry of reply.matches()) reply.entry(entry)
      reply.done()
    })
    most = Math.max(most, held.length)
    setTimeout(() => held.splice(0).forEach(answer => void answer()), 50)
    return true
  }
  await isWhole(t, script, some, 190)
  t.ok(most > 1, 'several at once')
})

test('an entry after the end of its answer, or for another request, ends the reading', async t => {
  const late: Script = (request, reply) => {
    if (!isPeople(request) || pageOf(request) !== 1) return false
    reply.done(0, '', '1000')
    return reply.entry(entries.at(-1)!)
  }
  await isFailed(t, late, /sent an answer without a request/)
  const stray: Script = ({ id, ...request }, reply) => {
    if (isPeople({ id, ...request })) reply.raw(message(id + 7, encodeEntry(entries.at(-1)!)))
    return false
  }
  await isFailed(t, stray, /sent an answer without a request/)
})

test('an end in the middle of a page, after or within an entry, is not the end of the list', async t => {
  const ends: ((request: FakeRequest) => void)[] = [
    ({ socket }) => socket.end(),
    ({ socket }) => socket.resetAndDestroy(),
    ({ socket, id }) => socket.end(message(id, encodeEntry(entries.at(-1)!)).subarray(0, 40))
  ]
  for (const page of [0, 1, 2])
    for (const end of ends) {
      const script: Script = (request, reply) => {
        if (!isPeople(request) || pageOf(request) !== page) return false
        for (const entry of reply.matches().slice(page * 500, page * 500 + 100)) reply.entry(entry)
        end(request)
        return true
      }
      await isFailed(t, script, /closed|broke/)
    }
})

test('R8: a limit that is reached on the last page, with entries before it', async t => {
  for (const [code, words] of [
    [3, /time limit/],
    [4, /size limit/],
    [11, /administrative limit/]
  ] as const) {
    const script: Script = (request, reply) => {
      if (!isPeople(request) || pageOf(request) !== 2) return false
      for (const entry of reply.matches().slice(1_000)) reply.entry(entry)
      return reply.done(code, '', '')
    }
    await isFailed(t, script, words)
  }
})

test('a cookie that never ends repeats the same page', async t => {
  const script: Script = (request, reply) => {
    if (!isPeople(request)) return false
    for (const entry of reply.matches().slice(0, 5)) reply.entry(entry)
    return reply.done(0, '', 'again')
  }
  await isFailed(t, script, /endless pages with nothing new/)
  await isFailed(t, script, /endless pages with nothing new/, primary)
})

test('people who appear again on other pages are counted once', async t => {
  const overlapping: Script = (request, reply) => {
    if (!isPeople(request)) return false
    const from = pageOf(request) * 500
    for (const entry of reply.matches().slice(Math.max(0, from - 50), from + 500)) reply.entry(entry)
    return reply.done(0, '', from < 1_000 ? String(from + 500) : '')
  }
  await isWhole(t, overlapping, all, 1_200)
  await isWhole(t, overlapping, primary, 1_200)
})

/** The group with these attributes unchanged: the fake server would split them into its own parts. */
const show = ({ id }: FakeRequest, reply: Reply, attributes: FakeEntry['attributes']) =>
  reply.raw(message(id, encodeEntry({ dn: groupDn('all'), attributes }))) && reply.done()

test('partial values that shrink, overlap, repeat or misreport their number count as missing', async t => {
  const members = names.map(userDn)
  const second: Record<string, string[]>[] = [
    { 'member;range=500-998': members.slice(500, 999 - 10) },
    { 'member;range=500-999': [] },
    { 'member;range=500-*': [] },
    { 'member;range=0-499': members.slice(0, 500) },
    { 'member;range=400-899': members.slice(400, 900) },
    { 'member;range=500-400': members.slice(500, 900) },
    { 'member;range=*-*': members.slice(500) },
    { 'member;range=500-99999999999': members.slice(500) },
    { member: members.slice(500) }
  ]
  const asks = ({ attributes }: FakeRequest, from: number) => attributes.some(name => name.endsWith(`range=${from}-*`))
  for (const attributes of second) {
    const script: Script = (request, reply) => asks(request, 500) && show(request, reply, attributes)
    await isFailed(t, script, /values of member from number 500 on are missing/)
  }
  const first: Script = (request, reply) =>
    request.scope === 0 &&
    request.attributes.includes('primarygrouptoken') &&
    show(request, reply, { member: [], 'member;range=0-1499': members.slice(0, 500) })
  await isFailed(t, first, /values of member from number 0 on are missing/)
})
