/** Rows 10 and 11: the server's own classes decide what is a member or a group, from a real OpenLDAP. */
import t from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { classesFrom } from '../../../src/ldap/schema/classes.ts'
import { sumsUp } from '../../support/directory.ts'
import { type Attributes, dnOf, group, groups, type LdifEntry, people, startSlapd } from '../../support/slapd.ts'

const of = (name: string, objectClass: string | string[], more: Attributes = {}): LdifEntry => ({
  ...{ dn: dnOf(name), objectClass, uid: name, cn: name, mail: `${name}@larkfield.example` },
  ...more
})
const cn = (name: string) => `cn=${name},${groups}`
const posix = { uidNumber: '1', gidNumber: '1', homeDirectory: '/' }
const entries: LdifEntry[] = [
  of('open', 'OpenLDAPperson', { sn: 'x' }),
  of('deep', 'deepPerson', { sn: 'x' }),
  of('plain', ['person', 'extensibleObject'], { sn: 'x' }),
  of('login', ['account', 'posixAccount', 'extensibleObject'], posix),
  of('silent', ['account', 'posixAccount'], { ...posix, mail: [] }),
  of('box', ['applicationProcess', 'extensibleObject']),
  { dn: `cn=printer,${people}`, objectClass: 'device', cn: 'printer' },
  { dn: cn('demo'), objectClass: 'Group', cn: 'demo', member: [dnOf('open'), dnOf('plain')] },
  { dn: cn('own'), objectClass: 'ownGroup', cn: 'own', member: [dnOf('deep'), cn('demo')] },
  {
    dn: cn('both'),
    objectClass: ['posixGroup', 'extensibleObject'],
    ...{
      cn: 'both',
      gidNumber: '7',
      memberUid: ['login', 'open'],
      uniqueMember: [dnOf('open')],
      member: [dnOf('plain')]
    }
  },
  group('all', [
    ...['open', 'deep', 'plain', 'login', 'silent', 'box'].map(dnOf),
    `cn=printer,${people}`,
    cn('mailed')
  ]),
  group('mailed', [dnOf('open')], { mail: 'mailed@larkfield.example' })
]
const server = await startSlapd({
  entries,
  global: [
    "objectclass ( 1.1.1.1 NAME 'OpenLDAPperson' SUP inetOrgPerson STRUCTURAL )",
    "objectclass ( 1.1.1.2 NAME ( 'deepPerson' 'deeper' ) SUP OpenLDAPperson STRUCTURAL )",
    "objectclass ( 1.1.1.3 NAME 'Group' SUP top STRUCTURAL MUST cn MAY member )",
    "objectclass ( 1.1.1.4 NAME 'ownGroup' SUP groupOfNames STRUCTURAL )"
  ]
})
t.teardown(() => server.stop())
const directory = openDirectory(server.settings)

async function read(name: string, more = {}) {
  const own = openDirectory({ ...server.settings, ...more })
  const found = (await own.searchGroups(name, 20)).groups.find(each => each.name === name)!
  const names: string[] = []
  const outcome = await own.readGroup(found.id, async set => void names.push(...set.map(each => String(each.name))))
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  return { names: names.sort(), reading: outcome.reading }
}

t.test('E10: every class of people counts, and any entry that has an address and is not a group', async t => {
  const { names, reading } = await read('all')
  t.same(names, ['box', 'deep', 'login', 'open', 'plain', 'silent'])
  t.match(reading, { others: 1, nestedGroups: 1, repeated: 1, problems: [] })
  sumsUp(t, reading)
  const flat = await read('all', { nested: false })
  t.match(flat.reading, { resolved: 6, others: 2 }, 'a group with an address is no person')
  const own = await read('all', { peopleFilter: '(objectClass=OpenLDAPperson)' })
  t.notMatch(own.names, ['box'], 'a filter of the settings counts as it is')
})

t.test('E10: these people are found by id and can sign in', async t => {
  const taken: { id: string; mail: string | null }[] = []
  const [all] = (await directory.searchGroups('all', 5)).groups
  await directory.readGroup(all!.id, async set => void taken.push(...set))
  t.equal((await directory.findPeople(taken.map(({ id }) => id))).length, 6)
  t.match(await directory.checkPassword({ address: 'box@larkfield.example' }, 'x'), { outcome: 'wrong' })
})

t.test('E11: groups of class Group, and of classes derived from groupOfNames, are found by default', async t => {
  const found = (await directory.searchGroups('', 20)).groups.map(({ name }) => name)
  t.same(found, ['all', 'both', 'demo', 'mailed', 'own'])
  t.same((await read('demo')).names, ['open', 'plain'])
  t.same((await read('own')).names, ['deep', 'open', 'plain'])
})

t.test('E11: members in several attributes are combined, each once', async t => {
  const { names, reading } = await read('both')
  t.same(names, ['login', 'open', 'plain'])
  t.match(reading, { listed: 4, resolved: 3, repeated: 1, problems: [] })
  sumsUp(t, reading)
})

t.test('class definitions are read in any form, even circular ones', async t => {
  const classes = classesFrom([
    "( 1 NAME 'top' ABSTRACT )",
    "( 2 NAME 'a' SUP top )",
    "( 3 NAME ( 'b' 'bee' ) DESC 'SUP no' SUP ( a $ z ) MUST cn )",
    "( 4 NAME 'z' SUP b )",
    '( 5 SUP a )',
    'nonsense'
  ])
  t.same(classes.below(['a', 'unknown']), ['a', 'b', 'z', '5'])
  t.same(classes.below(['BEE']), ['BEE', 'b', 'z'])
})
