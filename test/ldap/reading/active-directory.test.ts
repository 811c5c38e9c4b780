/** What Active Directory does differently, on the fake server; real Samba: samba.test.ts. */
import { type Test, test } from 'tap'
import type { DirectoryPerson, DirectorySettings } from '../../../src/ldap/directory.ts'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { adGroup, adOptions, adUnits, adUser, groupDn, userDn } from '../../support/fake-active-directory.ts'
import { type FakeEntry, type FakeOptions, startFake } from '../../support/fake-directory.ts'
import { settingsFor, suffix } from '../../support/slapd.ts'

const contact: FakeEntry = {
  dn: userDn('guest'),
  attributes: {
    objectClass: ['top', 'person', 'contact'],
    objectCategory: ['person'],
    objectGUID: [Buffer.alloc(16, 7)],
    cn: ['guest'],
    mail: ['guest@elsewhere.example']
  }
}
const foreign: FakeEntry = {
  dn: `CN=S-1-5-21-1-2-3-1105,CN=ForeignSecurityPrincipals,${suffix}`,
  attributes: { objectClass: ['top', 'foreignSecurityPrincipal'], objectGUID: [Buffer.alloc(16, 8)] }
}
const computer: FakeEntry = {
  dn: userDn('laptop'),
  attributes: { objectClass: ['computer'], objectCategory: ['computer'], objectGUID: [Buffer.alloc(16, 9)] }
}

const entries = [
  ...adUnits,
  adUser('ada', ['list'], { title: ['Head'], department: ['Ops'], manager: [userDn('ben')] }),
  adUser('ben', ['list'], { userAccountControl: ['514'] }),
  adUser('cleo', [], { mail: [], proxyAddresses: ['smtp:old@larkfield.example', 'SMTP:cleo@larkfield.example'] }),
  adUser('dan', [], { primaryGroupID: ['1201'] }),
  contact,
  foreign,
  computer,
  adGroup('list', ['ada', 'ben', 'cleo', 'guest', 'laptop'].map(userDn).concat(foreign.dn), {
    groupType: ['2'],
    mail: ['list@larkfield.example']
  }),
  adGroup('unsigned', [], { groupType: ['2147483650'], primaryGroupToken: ['1201'] }),
  adGroup('round', [groupDn('round'), groupDn('list'), userDn('dan')]),
  adGroup('empty', [], { primaryGroupToken: ['1202'] })
]

async function read(t: Test, name: string, options: FakeOptions = {}, more: Partial<DirectorySettings> = {}) {
  const fake = await startFake({ ...adOptions, entries, ...options })
  t.teardown(() => fake.stop())
  const directory = openDirectory({ ...settingsFor(fake.url), ...more })
  const { groups } = await directory.searchGroups(name, 10)
  const people: DirectoryPerson[] = []
  const outcome = await directory.readGroup(groups[0]!.id, async set => void people.push(...set))
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  t.same(outcome.reading.problems, [])
  return { fake, reading: outcome.reading, people, names: people.map(({ dn }) => dn.split(',')[0]!.slice(3)).sort() }
}

test('a distribution list: disabled people, contacts, foreign principals, computers', async t => {
  const { reading, people, names } = await read(t, 'list')
  t.same(names, ['ada', 'ben', 'cleo', 'guest'])
  t.match(reading.group, { kind: 'distribution-list', mail: 'list@larkfield.example', members: 6 })
  t.match(reading.group.id, /^[0-9a-f]{8}-[0-9a-f]{4}-/)
  t.match(reading, { listed: 6, resolved: 4, contacts: 2, others: 1, dangling: 0 })
  const [ada, ben, cleo, guest] = people.sort((a, b) => a.dn.localeCompare(b.dn))
  t.match(ada, { name: 'The ada', title: 'Head', department: 'Ops', manager: userDn('ben'), isDisabled: false })
  t.equal(ben!.isDisabled, true)
  t.equal(cleo!.mail, 'cleo@larkfield.example')
  t.match(guest, { mail: 'guest@elsewhere.example', isDisabled: false })
})

test('a security group by its type bit, written in either way, and its people by primary group', async t => {
  const { reading, names } = await read(t, 'unsigned')
  t.equal(reading.group.kind, 'security-group')
  t.same(names, ['dan'])
  t.match(reading, { listed: 0, resolved: 1, strategy: 'primary group' })
})

test('a group that contains itself is neither a member nor read twice', async t => {
  const { reading, names } = await read(t, 'round')
  t.same(names, ['ada', 'ben', 'cleo', 'dan', 'guest'])
  t.match(reading, { nestedGroups: 1, cyclesCut: 1 })
})

test('an empty group is proved empty', async t => {
  const { reading } = await read(t, 'empty')
  t.match(reading, { listed: 0, resolved: 0 })
})

test('a server that finds no one by DN is read one entry at a time', async t => {
  const hidesDn = (filter: Buffer) => filter.includes('distinguishedName')
  const { reading, names } = await read(t, 'list', {
    script: ({ kind, filter, page }, reply) =>
      kind === 'search' && hidesDn(filter) && reply.done(17, 'undefined', page && '')
  })
  t.same(names, ['ada', 'ben', 'cleo', 'guest'])
  t.equal(reading.strategy, 'one by one')
})

test('a server without pages is read without them', async t => {
  const rootDse = { ...adOptions.rootDse, supportedControl: ['1.2.3'] }
  const { fake, names } = await read(t, 'list', { rootDse })
  t.same(names, ['ada', 'ben', 'cleo', 'guest'])
  t.ok(fake.requests.every(({ page }) => page === undefined))
})

test('the root entry identifies the vendor, and a server that hides it is read as plain LDAP', async t => {
  const roots: [Record<string, string[]>, RegExp][] = [
    [{ supportedCapabilities: ['1.2.840.113556.1.4.800'] }, /Active Directory/],
    [{ objectClass: ['OpenLDAProotDSE'] }, /OpenLDAP/],
    [{ vendorName: ['389 Project'], vendorVersion: ['389-Directory/2.3.1'] }, /389 Directory Server/],
    [{ vendorName: ['NetIQ Corporation'], vendorVersion: ['LDAP Agent for NetIQ eDirectory 9.2'] }, /eDirectory/],
    [{ vendorName: ['Apache Software Foundation'] }, /Apache/],
    [{}, /LDAP server/]
  ]
  for (const [rootDse, words] of roots) {
    const fake = await startFake({ rootDse, entries })
    t.teardown(() => fake.stop())
    const steps = await openDirectory(settingsFor(fake.url)).test()
    t.match(
      steps.find(({ name }) => name === 'vendor'),
      { ok: true, text: words }
    )
  }
  const shy = await startFake({
    entries,
    script: ({ base, kind }, reply) => kind === 'search' && !base && reply.done(50)
  })
  t.teardown(() => shy.stop())
  t.match(
    (await openDirectory(settingsFor(shy.url)).test()).find(({ name }) => name === 'vendor'),
    { ok: true }
  )
})
