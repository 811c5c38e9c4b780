/** R8: a person who is not found counts as deleted only if the directory proves it. */
import t from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { caseEntries, dnOf, group, person, startSlapd, suffix } from '../../support/slapd.ts'

const hidden = `ou=Hidden,${suffix}`
const server = await startSlapd({
  entries: [
    ...[person('ada'), person('again'), ...caseEntries('referred-member.ldif'), group('any', [dnOf('ada')])],
    { dn: hidden, objectClass: 'organizationalUnit', ou: 'Hidden' },
    { ...person('secret'), dn: `uid=secret,${hidden}` },
    person('unsure')
  ],
  access: [
    `access to dn.subtree="${hidden}" by * none`,
    `access to dn.base="${dnOf('unsure')}" attrs=entryUUID by * none`
  ]
})
t.teardown(() => server.stop())
const directory = openDirectory(server.settings)
const goneAmong = (dns: (string | null)[]) => directory.findGone(dns.map(dn => ({ id: `id of ${dn}`, dn })))

t.test('R8: an entry counts as deleted if the directory says that it is missing below a visible place', async t => {
  const gone = [dnOf('left'), `uid=x,ou=Former,${suffix}`, dnOf('again'), 'uid=x,dc=other', null]
  t.same((await goneAmong(gone)).sort(), gone.map(dn => `id of ${dn}`).sort(), 'or another entry has its DN')
})

t.test('R8, E8: people who are elsewhere or hidden do not count as deleted', async t => {
  t.same(await goneAmong([`uid=far,ou=branch,${suffix}`, `uid=secret,${hidden}`, `uid=left,${hidden}`]), [])
  t.same(await goneAmong([dnOf('unsure')]), [], 'nor one whose id is hidden')
  t.same(await goneAmong([]), [])
})
