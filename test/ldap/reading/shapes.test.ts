/** The kinds of groups in OpenLDAP (docs/requirements.md, Directory), read from a real server. */
import t, { type Test } from 'tap'
import type { DirectoryPerson, DirectorySettings, Reading } from '../../../src/ldap/directory.ts'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { sumsUp } from '../../support/directory.ts'
import { dnOf, group, groups, type LdifEntry, people, person, startSlapd, suffix } from '../../support/slapd.ts'

const cn = (name: string) => `cn=${name},${groups}`
const crowd = Array.from({ length: 3_000 }, (_, index) => `p${index}`)
const branch = `ou=Branch,${people}`

const entries: LdifEntry[] = [
  { dn: branch, objectClass: 'organizationalUnit', ou: 'Branch' },
  ...['ada', 'ben', 'cleo', 'dan', 'eve'].map(uid => person(uid)),
  person('smith', { dn: `cn=Smith\\, John,${people}`, cn: 'Smith, John' }),
  person('angstrom', { dn: `cn=Ångström,${people}`, cn: 'Ångström', displayName: 'Åke Ångström' }),
  person('far', { dn: `uid=far,${branch}`, title: 'Far away' }),
  person('silent', { mail: [] }),
  ...crowd.map(uid => person(uid)),
  { dn: `cn=printer,${people}`, objectClass: 'device', cn: 'printer' },
  group('staff', [dnOf('ada'), dnOf('ben')], { description: 'Everybody here', mail: 'staff@larkfield.example' }),
  group('spelled', [
    `UID=Ada, OU=People,${suffix}`,
    dnOf('ada'),
    `cn=Smith\\2C John,${people}`,
    `CN=\\C3\\85ngstr\\c3\\b6m,OU=people,DC=Larkfield,DC=Example`,
    `2.5.4.3=smith\\, john,${people}`
  ]),
  {
    dn: cn('unique'),
    objectClass: ['groupOfUniqueNames', 'extensibleObject'],
    cn: 'unique',
    uniqueMember: [`${dnOf('ada')}#'0110'B`, dnOf('ben')]
  },
  { dn: cn('posix'), objectClass: 'posixGroup', cn: 'posix', gidNumber: '7', memberUid: ['ada', 'Ben', 'nobody'] },
  {
    dn: cn('list'),
    objectClass: 'nisMailAlias',
    cn: 'list',
    rfc822MailMember: [
      'ada@larkfield.example',
      'BEN@larkfield.example',
      'guest@elsewhere.example',
      'staff@larkfield.example'
    ]
  },
  {
    dn: cn('dynamic'),
    objectClass: ['groupOfURLs', 'extensibleObject'],
    cn: 'dynamic',
    memberURL: [
      `ldap:///${people}??sub?(|(uid=ada)(title=far%20away))`,
      `ldap:///dc=example??sub?(uid=cleo)`,
      `ldap:///dc=elsewhere??sub?(uid=*)`,
      `ldap://other.example/${people}??sub?(uid=dan)`
    ]
  },
  group('mixed', [
    dnOf('ada'),
    dnOf('gone'),
    dnOf('gone2'),
    `cn=printer,${people}`,
    `uid=x,dc=elsewhere`,
    dnOf('silent')
  ]),
  group('placeholder', ['cn=placeholder']),
  group('crowd', [...crowd.map(dnOf), dnOf('lost')]),
  group('top', [dnOf('ada'), cn('middle'), cn('diamond')]),
  group('middle', [dnOf('ben'), dnOf('ada'), cn('bottom')]),
  group('bottom', [dnOf('cleo'), cn('top'), cn('middle'), cn('bottom')]),
  group('diamond', [dnOf('dan'), cn('bottom')]),
  group('ghosts', [dnOf('g1'), dnOf('g2')])
]

const server = await startSlapd({ entries, modules: ['dyngroup'] })
t.teardown(() => server.stop())

async function read(t: Test, name: string, more: Partial<DirectorySettings> = {}) {
  const directory = openDirectory({ ...server.settings, ...more })
  const { groups: found } = await directory.searchGroups(name, 20)
  const one = found.find(each => each.name === name)!
  const taken: DirectoryPerson[] = []
  const outcome = await directory.readGroup(one.id, async set => {
    t.ok(set.length <= 500, 'in sets of some hundreds')
    taken.push(...set)
  })
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  t.equal(new Set(taken.map(({ id }) => id)).size, taken.length, 'each person once')
  t.equal(taken.length, outcome.reading.resolved)
  return { taken, reading: outcome.reading, uids: taken.map(({ mail, name }) => mail?.split('@')[0] ?? name).sort() }
}

function complete(t: Test, reading: Reading, counts: object) {
  t.match(reading, counts)
  sumsUp(t, reading)
  t.same(reading.problems, [])
}

t.test('a group of names, with its description', async t => {
  const { reading, uids, taken } = await read(t, 'staff')
  t.same(uids, ['ada', 'ben'])
  t.match(reading.group, {
    dn: cn('staff'),
    name: 'staff',
    mail: 'staff@larkfield.example',
    description: 'Everybody here',
    kind: 'group',
    members: 2
  })
  complete(t, reading, { listed: 2, resolved: 2, ranges: 1, nestedGroups: 0, dangling: 0 })
  t.match(taken[0], { via: null, isDisabled: false, isExcluded: false })
  t.match(reading.group.id, /^[0-9a-f-]{36}$/)
})

t.test('DNs in any spelling name the same people, once', async t => {
  const { reading, uids } = await read(t, 'spelled')
  t.same(uids, ['ada', 'angstrom', 'smith'])
  complete(t, reading, { listed: 5, resolved: 3, dangling: 0 })
})

t.test('uniqueMember with an identifier, memberUid, addresses', async t => {
  t.same((await read(t, 'unique')).uids, ['ada', 'ben'])
  const posix = await read(t, 'posix')
  t.same(posix.uids, ['ada', 'ben'])
  complete(t, posix.reading, { listed: 3, dangling: 1 })
  const list = await read(t, 'list')
  t.same(list.uids, ['ada', 'ben', 'guest'])
  complete(t, list.reading, { contacts: 1, nestedGroups: 1, group: { kind: 'distribution-list' } })
  t.match(
    list.taken.find(({ mail }) => mail === 'guest@elsewhere.example'),
    { id: 'mail:guest@elsewhere.example', dn: '' }
  )
})

t.test('dynamic groups are searched only below our base and on our server', async t => {
  const { reading, uids } = await read(t, 'dynamic')
  t.same(uids, ['ada', 'cleo', 'far'])
  complete(t, reading, { foreignBase: 2 })
})

t.test('members who are deleted, elsewhere, not people or without an address are counted', async t => {
  const { reading, uids } = await read(t, 'mixed')
  t.same(uids, ['ada', 'silent'])
  complete(t, reading, { listed: 6, resolved: 2, dangling: 2, foreignBase: 1, others: 1 })
})

t.test('a placeholder elsewhere is no person', async t => {
  complete(t, (await read(t, 'placeholder')).reading, { listed: 1, foreignBase: 1, resolved: 0 })
})

t.test('a group whose members were all deleted is not proved complete', async t => {
  t.match((await read(t, 'ghosts')).reading, { dangling: 2, problems: [/Not one of its 2 members/] })
})

t.test('3,000 members are all read, and the missing one is found', async t => {
  const { reading } = await read(t, 'crowd')
  complete(t, reading, { listed: 3_001, resolved: 3_000, dangling: 1 })
  t.match(reading.strategy, /everyone, compared here/)
})

t.test('nested groups are recorded, circles cut, and each group read once', async t => {
  const { reading, taken, uids } = await read(t, 'top')
  t.same(uids, ['ada', 'ben', 'cleo', 'dan'])
  const via = Object.fromEntries(taken.map(each => [each.name, each.via]))
  t.same(via, { ada: null, ben: 'middle', cleo: 'bottom', dan: 'diamond' })
  complete(t, reading, { nestedGroups: 3, cyclesCut: 3, dangling: 0 })
})

t.test('nesting can be turned off', async t => {
  const { reading, uids } = await read(t, 'top', { nested: false })
  t.same(uids, ['ada'])
  complete(t, reading, { nestedGroups: 0, others: 2 })
})

t.test('excluded people are marked; excluded groups are not found, followed or read', async t => {
  const exclusions = ['BEN@larkfield.example', cn('bottom').toUpperCase()]
  const { reading, taken } = await read(t, 'top', { exclusions })
  t.same(
    taken.filter(({ isExcluded }) => isExcluded).map(({ name }) => name),
    ['ben']
  )
  t.notOk(taken.some(({ name }) => name === 'cleo'))
  t.equal(reading.others, 1)
  const plain = openDirectory(server.settings)
  const excluding = openDirectory({ ...server.settings, exclusions })
  const [bottom] = (await plain.searchGroups('bottom', 1)).groups
  t.same((await excluding.searchGroups('bottom', 1)).groups, [])
  t.match(await excluding.readGroup(bottom!.id, async () => {}), { outcome: 'failed', reason: /exclusions/ })
  await t.rejects(
    openDirectory({ ...server.settings, exclusions: ['nonsense'] }).searchGroups('', 1),
    /neither a DN nor/
  )
})

t.test('the filters and names in the settings are used', async t => {
  const more = {
    peopleFilter: ' (&(objectClass=inetOrgPerson)\n(!(uid=ben)))',
    attributes: { title: 'uid', name: 'mail' }
  }
  const { taken, reading } = await read(t, 'staff', more)
  t.match(taken, [{ title: 'ada', name: 'ada@larkfield.example' }])
  t.equal(reading.others, 1)
  const filtered = openDirectory({ ...server.settings, groupFilter: '(cn=st*)' })
  t.same(
    (await filtered.searchGroups('', 9)).groups.map(({ name }) => name),
    ['staff']
  )
})

t.test('a deleted group is missing, and deleted people are not found', async t => {
  const directory = openDirectory(server.settings)
  const nobody = '00000000-0000-0000-0000-000000000000'
  t.same(await directory.readGroup(nobody, async () => {}), { outcome: 'missing' })
  const { taken, reading } = await read(t, 'staff')
  const [ada, ben] = taken
  t.same(
    (await directory.findPeople([ada!.id, nobody, ada!.id])).map(({ id }) => id),
    [ada!.id]
  )
  t.equal((await directory.findPeople([ada!.id, ben!.id])).length, 2)
  t.same(
    (await directory.findGroups([reading.group.id, nobody])).map(({ name }) => name),
    ['staff']
  )
  t.same(await directory.findGroups([]), [])
})

t.test('an error of the caller that receives people is not blamed on the directory', async t => {
  const directory = openDirectory(server.settings)
  const [staff] = (await directory.searchGroups('staff', 1)).groups
  await t.rejects(
    directory.readGroup(staff!.id, () => Promise.reject(new Error('disk full'))),
    { message: 'disk full' }
  )
})
