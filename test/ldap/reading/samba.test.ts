/** A real Active Directory (Samba): runs where Samba is installed. */
import t, { type Test } from 'tap'
import type { DirectoryPerson, DirectorySettings } from '../../../src/ldap/directory.ts'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { isSambaHere, startSamba, sambaSuffix as suffix } from '../../support/samba.ts'

const staff = `OU=Staff,${suffix}`
const user = (name: string) => `CN=${name},${staff}`
const names = Array.from({ length: 1_700 }, (_, index) => `p${index}`)

const entry = (dn: string, attributes: Record<string, string | string[]>) =>
  [
    `dn: ${dn}`,
    ...Object.entries(attributes).flatMap(([name, values]) => [values].flat().map(value => `${name}: ${value}`)),
    ''
  ].join('\n')
const adUser = (name: string, more: Record<string, string | string[]> = {}) =>
  entry(user(name), {
    objectClass: 'user',
    sAMAccountName: name,
    displayName: `The ${name}`,
    mail: `${name}@larkfield.example`,
    userAccountControl: '544',
    ...more
  })
const adGroup = (name: string, member: string[], more: Record<string, string> = {}) =>
  entry(user(name), { objectClass: 'group', sAMAccountName: name, ...more, member })

const ldif = [
  entry(staff, { objectClass: 'organizationalUnit' }),
  ...names.map(name => adUser(name)),
  adUser('ada', { title: 'Head', department: 'Ops' }),
  adUser('off', { userAccountControl: '546' }),
  adUser('exchange', { mail: [], proxyAddresses: ['smtp:old@larkfield.example', 'SMTP:ex@larkfield.example'] }),
  entry(user('guest'), { objectClass: 'contact', mail: 'guest@elsewhere.example' }),
  adGroup('list', ['ada', 'off', 'exchange', 'guest'].map(user), { groupType: '2', mail: 'list@larkfield.example' }),
  adGroup('crowd', names.map(user)),
  adGroup('nested', [user('list'), user('p0')]),
  adGroup('round', [user('nested'), user('p1')]),
  adGroup('nobody', [])
].join('\n')

const samba = isSambaHere ? await startSamba() : undefined
if (samba) {
  t.teardown(() => samba.stop())
  samba.add(ldif)
  // Active Directory refuses a group that contains itself when it is created, but not later
  samba.modify(
    `dn: CN=Administrator,CN=Users,${suffix}\nchangetype: modify\nadd: mail\nmail: administrator@larkfield.example\n`
  )
  samba.modify(`dn: ${user('list')}\nchangetype: modify\nadd: member\nmember: ${user('round')}\n`)
}
const skip = samba ? false : 'Samba is not installed'

async function read(t: Test, name: string, more: Partial<DirectorySettings> = {}) {
  const directory = openDirectory({ ...samba!.settings, ...more })
  const group = (await directory.searchGroups(name, 50)).groups.find(each => each.name === name)!
  const people: DirectoryPerson[] = []
  const outcome = await directory.readGroup(group.id, async set => void people.push(...set))
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  t.same(outcome.reading.problems, [])
  return { reading: outcome.reading, people, names: people.map(({ dn }) => dn.split(',')[0]!.slice(3)).sort() }
}

t.test('the test of the settings passes', { skip }, async t => {
  const steps = await openDirectory(samba!.settings).test()
  t.ok(
    steps.every(step => step.ok),
    JSON.stringify(steps)
  )
  t.match(
    steps.find(({ name }) => name === 'vendor'),
    { text: /Active Directory/ }
  )
})

t.test('a distribution list in a circle', { skip }, async t => {
  const { reading, people, names } = await read(t, 'list')
  t.same(names, ['ada', 'exchange', 'guest', 'off', 'p0', 'p1'])
  t.match(reading.group, { kind: 'distribution-list', mail: 'list@larkfield.example' })
  t.match(reading, { nestedGroups: 2, cyclesCut: 1, contacts: 1, dangling: 0 })
  const of = (name: string) => people.find(({ dn }) => dn.startsWith(`CN=${name},`))!
  t.match(of('ada'), { title: 'Head', department: 'Ops', isDisabled: false, via: null })
  t.equal(of('off').isDisabled, true)
  t.equal(of('exchange').mail, 'ex@larkfield.example')
  t.match(of('p1'), { via: 'round' })
})

t.test('1,700 members (unlike Windows, Samba shows them at once)', { skip }, async t => {
  const { reading } = await read(t, 'crowd')
  t.match(reading, { listed: 1_700, resolved: 1_700, strategy: 'memberOf in pages', group: { kind: 'security-group' } })
})

t.test('Domain Users lists no one, and everyone is in it', { skip }, async t => {
  const { reading } = await read(t, 'Domain Users')
  t.equal(reading.listed, 0)
  t.ok(reading.resolved >= 1_700)
  t.equal(reading.strategy, 'primary group')
})

t.test('an empty group is empty, a renamed group is found by id, and a deleted one is missing', { skip }, async t => {
  const { reading } = await read(t, 'nobody')
  t.equal(reading.resolved, 0)
  const directory = openDirectory(samba!.settings)
  samba!.modify(`dn: ${user('nobody')}\nchangetype: modrdn\nnewrdn: CN=renamed\ndeleteoldrdn: 1\n`)
  t.match(await directory.findGroups([reading.group.id]), [{ name: 'renamed' }])
  samba!.modify(`dn: ${user('renamed')}\nchangetype: delete\n`)
  t.same(await directory.readGroup(reading.group.id, async () => {}), { outcome: 'missing' })
})

t.test('a person is found by address and password', { skip }, async t => {
  const directory = openDirectory(samba!.settings)
  const secret = samba!.settings.bindPassword
  t.match(await directory.checkPassword({ address: 'administrator@larkfield.example' }, secret), { outcome: 'right' })
  t.same(await directory.checkPassword({ address: 'administrator@larkfield.example' }, 'wrong'), { outcome: 'wrong' })
  t.same(await directory.checkPassword({ address: 'off@larkfield.example' }, secret), { outcome: 'wrong' })
  const wrong = openDirectory({ ...samba!.settings, bindPassword: 'wrong' })
  t.match((await wrong.test()).at(-1), { name: 'bind', ok: false, text: /password is wrong|DN or the password/ })
})
