/** F14: the size of an answer is limited before it is read, and the run ends with a message. */
import t, { type Test } from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { breather } from '../../../src/ldap/reading/breather.ts'
import { message, result, type Script, startFake, tlv } from '../../support/fake-directory.ts'
import { groups, settingsFor, suffix } from '../../support/slapd.ts'

const staff = {
  dn: `cn=staff,${groups}`,
  attributes: { objectClass: ['groupOfNames'], cn: ['staff'], entryUUID: ['id-staff'], member: [`uid=a,${suffix}`] }
}
const entryWith = (attributes: Buffer) => tlv(0x64, tlv(4, staff.dn), tlv(0x30, attributes))
const attribute = (name: string, values: Buffer) => tlv(0x30, tlv(4, name), tlv(0x31, values))
const isMembers: (request: Parameters<Script>[0]) => boolean = ({ attributes }) => attributes.includes('member')

async function read(t: Test, script: Script) {
  const fake = await startFake({ entries: [staff], script })
  t.teardown(() => fake.stop())
  return openDirectory(settingsFor(fake.url)).readGroup('id-staff', async () => {})
}

const failed = (words: RegExp) => ({ outcome: 'failed', reason: words })

t.test('F14: an entry with millions of empty values or thousands of attributes', async t => {
  const values = entryWith(attribute('member', Buffer.alloc(2 * 1_300_000, Buffer.from([4, 0]))))
  const many = entryWith(Buffer.concat(Array.from({ length: 1_500 }, (_, n) => attribute(`x${n}`, Buffer.alloc(0)))))
  const send =
    (entry: Buffer): Script =>
    (request, reply) =>
      isMembers(request) && reply.raw(message(request.id, entry)) && reply.done()
  t.match(await read(t, send(values)), failed(/more than 1200000 values/))
  t.match(await read(t, send(many)), failed(/more than 1000 attributes/))
})

t.test('F14: more entries than requested, in a page or instead of one entry', async t => {
  const small = (id: number) => message(id, tlv(0x64, tlv(4, suffix), tlv(0x30)))
  const flood: Script = (request, reply) =>
    isMembers(request) && reply.raw(Buffer.concat(Array<Buffer>(5_000).fill(small(request.id)))) && reply.done()
  t.match(await read(t, flood), failed(/more than the 1 entries/))
  const page: Script = ({ id, page: asked }, reply) => {
    if (!asked) return false
    const bytes = Array<Buffer>(5_000).fill(small(id))
    return reply.raw(Buffer.concat(bytes)) && reply.done(0, '', 'more')
  }
  const fake = await startFake({ entries: [staff], script: page })
  t.teardown(() => fake.stop())
  const directory = openDirectory(settingsFor(fake.url))
  await t.rejects(directory.searchGroups('x', 5), { message: /sent a page of 5000 entries, of 6 requested/ })
})

t.test('F14: only a group’s own values may be large', async t => {
  const big = (size: number) => entryWith(attribute('cn', tlv(4, 'x'.repeat(size))))
  const lookUp: Script = (request, reply) =>
    request.filter.includes('entryUUID') && reply.raw(message(request.id, big(5_000_000)))
  t.match(await read(t, lookUp), failed(/a message of 50000\d\d bytes, where 4194304 is the maximum/))
  const end: Script = (request, reply) =>
    isMembers(request) && reply.raw(message(request.id, result(0x65, 0, 'x'.repeat(2_000_000))))
  t.match(await read(t, end), failed(/its answer has 2000\d\d\d bytes and no entry/))
})

t.test('a group that is larger than a person may be is found, counted and read', async t => {
  const member = Array.from({ length: 50_000 }, (_, n) => `uid=${'x'.repeat(80)}${n},dc=elsewhere`)
  const large = { ...staff, attributes: { ...staff.attributes, member } }
  const fake = await startFake({ entries: [large] })
  t.teardown(() => fake.stop())
  const directory = openDirectory(settingsFor(fake.url))
  t.match(await directory.searchGroups('staff', 5), { groups: [{ members: 50_000 }] })
  t.match(await directory.readGroup('id-staff', async () => {}), { reading: { foreignBase: 50_000 } })
})

t.test('F14: a long loop lets other work run', async t => {
  const breathe = breather()
  let turns = 0
  let others = 0
  const timer = setInterval(() => {
    others += 1
  }, 1)
  for (let step = 0; step < 2_000; step += 1) {
    const until = performance.now() + 0.05
    while (performance.now() < until);
    const turn = breathe()
    if (!turn) continue
    turns += 1
    await turn
  }
  clearInterval(timer)
  t.ok(turns > 2 && others > 0, `${turns} turns, ${others} others`)
})
