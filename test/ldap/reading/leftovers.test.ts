/** Members that cannot be found, on a real OpenLDAP: deleted if the directory proves it, otherwise hidden (0011). */
import t, { type Test } from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { adGroup, adOptions, adUnits, adUser, userDn } from '../../support/fake-active-directory.ts'
import { startFake } from '../../support/fake-directory.ts'
import { dnOf, group, type LdifEntry, people, person, settingsFor, startSlapd, suffix } from '../../support/slapd.ts'

const closed = `ou=Closed,${people}`
const board = `ou=Board,${people}`
const entries: LdifEntry[] = [
  { dn: board, objectClass: 'organizationalUnit', ou: 'Board' },
  ...['ada', 'ben', 'cleo'].map(uid => person(uid)),
  person('chair', { dn: `uid=chair,${board}` }),
  group('staff', [
    dnOf('ada'),
    dnOf('ben'),
    dnOf('cleo'),
    dnOf('gone'),
    `uid=old,${closed}`,
    `uid=x,ou=Deep,${closed}`
  ]),
  group('leaders', [dnOf('ada'), dnOf('ben'), `uid=chair,${board}`]),
  group('vacant', [dnOf('ada'), dnOf('ben'), `uid=vacant,${board}`])
]

async function read(t: Test, name: string, access: string[] = [], exclusions: string[] = []) {
  const server = await startSlapd({ entries, access })
  t.teardown(() => server.stop())
  const directory = openDirectory({ ...server.settings, exclusions })
  const found = (await directory.searchGroups(name, 10)).groups.find(each => each.name === name)!
  const outcome = await directory.readGroup(found.id, async () => {})
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  return outcome.reading
}

t.test('leftovers below a deleted unit, at any depth, are counted and do not fail the run', async t => {
  t.match(await read(t, 'staff'), { listed: 6, resolved: 3, dangling: 3, problems: [] })
})

t.test('people who are hidden do not count as deleted, in any way that the directory hides them', async t => {
  for (const right of ['none', 'disclose', 'search']) {
    const { problems, dangling } = await read(t, 'leaders', [`access to dn.subtree="${board}" by * ${right}`])
    t.match(problems, [/^1 of its members are missing or hidden.*ou=board,ou=people/], right)
    t.equal(dangling, 0, right)
  }
  const person = await read(t, 'leaders', [`access to dn.base="uid=chair,${board}" by * none`])
  t.match(person.problems, [/missing or hidden/], 'also when only the person is')
})

t.test('below a hidden unit, deleted and hidden people look alike', async t => {
  const { problems } = await read(t, 'vacant', [`access to dn.subtree="${board}" by * none`])
  t.match(problems, [/missing or hidden/])
  t.match(await read(t, 'vacant'), { dangling: 1, problems: [] }, 'and counts as deleted when the unit can be read')
})

t.test('if everything above is hidden, nothing proves that a unit was deleted', async t => {
  const { problems } = await read(t, 'staff', [`access to dn.base="${people}" by * none`])
  t.match(problems, [/^3 of its members are missing or hidden/])
})

t.test('excluded people need not be visible', async t => {
  const access = [`access to dn.subtree="${board}" by * none`]
  t.match(await read(t, 'leaders', access, [board]), { resolved: 2, others: 1, problems: [] })
})

t.test('a server without proof is not believed: Active Directory keeps no leftovers', async t => {
  const members = ['ada', 'ben'].map(userDn)
  const fake = await startFake({
    ...adOptions,
    entries: [
      ...adUnits,
      adUser('ada', []),
      adUser('ben', []),
      adGroup('staff', [...members, `CN=old,OU=Closed,${suffix}`])
    ]
  })
  t.teardown(() => fake.stop())
  const directory = openDirectory(settingsFor(fake.url))
  const [staff] = (await directory.searchGroups('staff', 1)).groups
  t.match(await directory.readGroup(staff!.id, async () => {}), { reading: { problems: [/missing or hidden/] } })
})
