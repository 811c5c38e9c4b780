/** E8: one faulty member does not fail the group, and missing proof stays missing (docs/decisions/0014). */
import t, { type Test } from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { sumsUp } from '../../support/directory.ts'
import { type FakeEntry, message, type Script, startFake, tlv } from '../../support/fake-directory.ts'
import {
  caseEntries,
  dnOf,
  group,
  groups,
  people,
  person,
  settingsFor,
  startSlapd,
  suffix
} from '../../support/slapd.ts'

const entryOf = (name: string, more: FakeEntry['attributes'] = {}): FakeEntry => ({
  dn: dnOf(name),
  attributes: {
    ...{ objectClass: ['person', 'inetOrgPerson'], cn: [name], uid: [name], mail: [`${name}@larkfield.example`] },
    ...{ entryUUID: [`id-${name}`], ...more }
  }
})
const far = dnOf('far')

/** A group of two people, and a third entry that the script answers for. */
async function read(t: Test, script: Script, more: { members?: string[]; entries?: FakeEntry[] } = {}) {
  const member = more.members ?? [dnOf('ada'), dnOf('ben'), far]
  const attributes = { objectClass: ['groupOfNames'], cn: ['staff'], entryUUID: ['id-staff'], member }
  const units = [suffix, people, groups].map(dn => ({ dn, attributes: { objectClass: ['organizationalUnit'] } }))
  const staff = { dn: `cn=staff,${groups}`, attributes }
  const fake = await startFake({
    entries: [...units, entryOf('ada'), entryOf('ben'), staff, ...(more.entries ?? [])],
    script
  })
  t.teardown(() => fake.stop())
  const outcome = await openDirectory(settingsFor(fake.url)).readGroup('id-staff', async () => {})
  if (outcome.outcome !== 'read') return outcome
  if (outcome.reading.problems.length === 0) sumsUp(t, outcome.reading)
  return outcome.reading
}

t.test('E8: a member below a referral is counted as in another directory, and the others are read', async t => {
  const server = await startSlapd({
    entries: [person('a'), ...caseEntries('referred-member.ldif'), group('root', [dnOf('a'), `ou=branch,${suffix}`])]
  })
  t.teardown(() => server.stop())
  const directory = openDirectory(server.settings)
  for (const name of ['staff', 'root']) {
    const [staff] = (await directory.searchGroups(name, 5)).groups
    const outcome = await directory.readGroup(staff!.id, async () => {})
    t.match(
      outcome,
      { outcome: 'read', reading: { listed: 2, resolved: 1, elsewhere: 1, dangling: 0, problems: [] } },
      name
    )
    if (outcome.outcome === 'read') sumsUp(t, outcome.reading)
  }
  const below = openDirectory({ ...server.settings, baseDn: `ou=branch,${suffix}` })
  await t.rejects(
    below.searchGroups('staff', 5),
    /refers us elsewhere/,
    'a base that is elsewhere is a fault of the settings'
  )
})

t.test('E8: a reference instead of the entry means the same', async t => {
  const reading = await read(t, (request, reply) => {
    if (request.base !== far) return false
    reply.raw(message(request.id, tlv(0x73, tlv(4, `ldap://192.0.2.1/${far}`))))
    return reply.done()
  })
  t.match(reading, { resolved: 2, elsewhere: 1, problems: [] })
})

t.test('E8: a name that the server or Rollcall cannot parse names no one', async t => {
  const refuse: Script = ({ base }, reply) => base === far && reply.done(34, 'invalid DN')
  t.match(await read(t, refuse), { resolved: 2, dangling: 1, problems: [] })
  const members = [dnOf('ada'), dnOf('ben'), 'no name at all', 'uid=,,', 'x'.repeat(9_000)]
  t.match(await read(t, () => false, { members }), { listed: 5, resolved: 2, dangling: 3, problems: [] })
  // the same for a filter of many names: halving finds the one that spoils it
  const spoiled: Script = (request, reply) =>
    (request.base === far || (request.filter.includes('entryDN') && request.filter.includes('uid=far'))) &&
    reply.done(34)
  t.match(await read(t, spoiled), { resolved: 2, dangling: 1, problems: [] })
})

t.test('E8: hidden and temporarily unavailable people prove nothing: the run fails and names them', async t => {
  for (const [code, words] of [
    [50, /^1 of its members are missing or hidden/],
    [3, /^1 of its members could not be read\. .*time limit.*Try again/],
    [11, /^1 of its members could not be read\. .*administrative limit/],
    [51, /^1 of its members could not be read\. .*busy/],
    [52, /^1 of its members could not be read\. .*unavailable/]
  ] as const)
    t.match(
      await read(t, ({ base }, reply) => base === far && reply.done(code)),
      { resolved: 2, problems: [words] },
      `${code}`
    )
  let asked = 0
  const once: Script = ({ base }, reply) => base === far && asked++ === 0 && reply.done(51)
  t.match(await read(t, once, { entries: [entryOf('far')] }), { resolved: 3, problems: [] }, 'asked once more')
})

t.test('E8: broken or very long values of one entry affect no others', async t => {
  const broken = Buffer.from('ff fe 41', 'hex')
  const long = 'x'.repeat(1_000_000)
  for (const [name, value] of [
    ['cn', broken],
    ['title', broken],
    ['mail', broken],
    ['description', long],
    ['title', long]
  ] as const)
    t.match(
      await read(t, () => false, { entries: [entryOf('far', { [name]: [value] })] }),
      { resolved: 3, problems: [] },
      name
    )
})

t.test('E8: a person without the chosen id is counted; without the server’s own id nothing is proved', async t => {
  const fake = await startFake({
    entries: [
      ...['ada', 'ben'].map(name => entryOf(name, { employeeNumber: [`n-${name}`] })),
      entryOf('cleo'),
      {
        dn: `cn=staff,${groups}`,
        attributes: {
          objectClass: ['groupOfNames'],
          cn: ['staff'],
          employeeNumber: ['g'],
          member: ['ada', 'ben', 'cleo'].map(dnOf)
        }
      }
    ]
  })
  t.teardown(() => fake.stop())
  const directory = openDirectory({ ...settingsFor(fake.url), attributes: { id: 'employeeNumber' } })
  t.match(await directory.readGroup('g', async () => {}), { reading: { resolved: 2, withoutId: 1, problems: [] } })
  const own = await read(t, () => false, { entries: [entryOf('far', { entryUUID: [] })] })
  t.match(own, { problems: [/show no entryUUID/] })
})

t.test('E8: a nested group without an id is read anyway', async t => {
  const nested: FakeEntry = {
    dn: far,
    attributes: { objectClass: ['groupOfNames'], cn: ['nested'], member: [dnOf('cleo'), dnOf('ada')] }
  }
  const reading = await read(t, () => false, { entries: [nested, entryOf('cleo')] })
  t.match(reading, { listed: 5, resolved: 3, nestedGroups: 1, repeated: 1, problems: [] })
})
