/** Rows 6 to 8: a shared user name or address is never assigned by chance, and one bad value affects no others. */
import t from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { sumsUp } from '../../support/directory.ts'
import { dnOf, group, groups, type LdifEntry, people, person, startSlapd, suffix } from '../../support/slapd.ts'

const at = (name: string) => `${name}@larkfield.example`
const posix = (cn: string, memberUid: string[]): LdifEntry => ({
  ...{ dn: `cn=${cn},${groups}`, objectClass: ['posixGroup'], cn, gidNumber: '5', memberUid }
})
const list = (cn: string, rfc822MailMember: string[], more = {}): LdifEntry => ({
  ...{ dn: `cn=${cn},${groups}`, objectClass: ['nisMailAlias', 'extensibleObject'], cn, rfc822MailMember, ...more }
})
const dynamic = (cn: string, memberURL: string[]): LdifEntry => ({
  ...{ dn: `cn=${cn},${groups}`, objectClass: 'groupOfURLs', cn, memberURL }
})
const server = await startSlapd({
  entries: [
    person('ada', { userPassword: 'ada-secret' }),
    person('ben'),
    person('cleo', { mail: [], 'mail;lang-de': at('cleo'), 'cn;lang-de': 'Klea', userPassword: 'cleo-secret' }),
    person('dan', { mail: 'dan@old.example', 'mail;lang-en': at('dan') }),
    ...['twin1', 'twin2'].map(uid => person(uid, { uid: [uid, 'twin'], mail: at('twin') })),
    ...['ada', 'ben'].map(uid => ({
      ...{ dn: `cn=mailbox,${dnOf(uid)}`, objectClass: ['device', 'extensibleObject'], cn: 'mailbox' },
      ...{ uid, mail: at(uid) }
    })),
    {
      ...{ dn: `ou=away,${suffix}`, objectClass: ['referral', 'extensibleObject'], ou: 'away' },
      ref: `ldap://192.0.2.1/ou=away,${suffix}`
    },
    posix('names', ['ada', 'BEN', 'cleo ', ' cleo', 'twin', 'nobody']),
    list('mails', [at('twin'), `${at('ben')} `, at('cleo'), 'x@other.example', at('both'), at('one')]),
    ...['both 1', 'both 2'].map(cn => list(cn, [at('ada')], { mail: at('both') })),
    list('one', [at('dan')], { mail: at('one') }),
    group('tagged', ['cleo', 'dan'].map(dnOf)),
    dynamic('searches', [
      `ldap://other.example/${people}??sub?(uid=ada)`,
      ...['away', 'gone', 'People'].map(ou => `ldap:///ou=${ou},${suffix}??one?(uid=ben)`)
    ]),
    dynamic('hidden', [`ldap:///ou=Secret,${suffix}??sub?(uid=ben)`, `ldap:///${people}??sub?(uid=ben)`]),
    { dn: `ou=Secret,${suffix}`, objectClass: 'organizationalUnit', ou: 'Secret' }
  ],
  access: [`access to dn.subtree="ou=Secret,${suffix}" by * none`]
})
t.teardown(() => server.stop())
const directory = openDirectory(server.settings)

async function read(name: string) {
  const found = (await directory.searchGroups(name, 20)).groups.find(each => each.name === name)!
  const taken: string[] = []
  const outcome = await directory.readGroup(found.id, async set => {
    for (const { id, mail } of set) taken.push(`${mail?.split('@')[0]}${id.startsWith('mail:') ? ' by address' : ''}`)
    for (const { dn } of set) t.notMatch(dn, 'mailbox')
  })
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  if (outcome.reading.problems.length === 0) sumsUp(t, outcome.reading)
  return { taken: taken.sort(), reading: outcome.reading }
}

t.test(
  'rows 6 and 8: a user name of two entries belongs to neither, and spaces around a name do not count',
  async t => {
    const { taken, reading } = await read('names')
    t.same(taken, ['ada', 'ben', 'cleo'], 'a mailbox with the same name is no second person')
    t.match(reading, { listed: 6, repeated: 1, ambiguous: 1, dangling: 1, problems: [] })
  }
)

t.test('E6: a list keeps an address that two entries share, and chooses neither entry', async t => {
  const { taken, reading } = await read('mails')
  t.same(taken, ['ben', 'cleo', 'dan', 'twin by address', 'x by address'])
  t.match(reading, { ambiguous: 1, nestedGroups: 1, problems: [] }, 'an address of two groups leads to neither')
})

t.test('E6: a mailbox below a person, or a device with the same address, is not a second person', async t => {
  t.match(await directory.findByAddress(at('ada')), [{ dn: dnOf('ada') }])
  t.match(await directory.checkPassword({ address: at('ada') }, 'ada-secret'), { outcome: 'right' })
  t.match(await directory.checkPassword({ address: at('twin') }, 'x'), { outcome: 'ambiguous' })
})

t.test('E7: an address or a name with a language tag counts, after those without', async t => {
  t.same((await read('tagged')).taken, ['cleo', 'dan'])
  t.match(await directory.findByAddress(at('cleo')), [{ mail: at('cleo'), name: 'cleo' }])
  t.match(await directory.checkPassword({ address: at('cleo') }, 'cleo-secret'), { outcome: 'right' })
})

t.test('E8: a deleted or remote search base is that value’s fault; a hidden base fails the run', async t => {
  const { taken, reading } = await read('searches')
  t.same(taken, ['ben'])
  t.match(reading, { listed: 3, foreignBase: 1, elsewhere: 1, dangling: 1, computed: 1, problems: [] })
  const [hidden] = (await directory.searchGroups('hidden', 5)).groups
  t.match(await directory.readGroup(hidden!.id, async () => {}), { outcome: 'failed' })
})
