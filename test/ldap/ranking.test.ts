/** E12: the exact match is first, in any order from the server; E26: matches without an id are reported. */
import t from 'tap'
import { openDirectory } from '../../src/ldap/open-directory.ts'
import { group, startSlapd } from '../support/slapd.ts'

const many = (name: string, count: number, more = {}) =>
  Array.from({ length: count }, (_, n) => group(`${name}${String(n).padStart(3, '0')}`, ['cn=x'], more))
const server = await startSlapd({
  entries: [
    ...many('a sales team ', 120),
    ...many('sales ', 70),
    ...many('other ', 60, { description: 'sales' }),
    group('Sales', ['cn=x']),
    group('by address', ['cn=x'], { mail: 'sales' }),
    group('Zoë', ['cn=x']),
    group('Zoo', ['cn=x']),
    group('mail first', ['cn=x'], { mail: 'support@larkfield.example' }),
    group('support', ['cn=x'])
  ]
})
t.teardown(() => server.stop())
const directory = openDirectory(server.settings)
const namesOf = async (q: string, limit = 50) => (await directory.searchGroups(q, limit)).groups.map(({ name }) => name)

t.test('E12: exact matches, then prefixes, then the rest; the exact match is never cut off', async t => {
  for (const q of ['sales', 'SALES', ' sales ']) {
    const names = await namesOf(q)
    t.equal(names.length, 50)
    t.equal(names[0], 'Sales', q)
    t.equal(names[1], 'by address', 'the address is exact, too')
  }
  t.match(await directory.searchGroups('sales', 50), { hasMore: true })
  t.same(await namesOf('sales', 1), ['Sales'])
  const short = await namesOf('sales 06', 50)
  t.same(short.slice(0, 2), ['sales 060', 'sales 061'])
  t.same((await namesOf('team 119')).slice(0, 1), ['a sales team 119'])
})

t.test('E12: each match appears once, a name before an address', async t => {
  t.same(await namesOf('support'), ['support', 'mail first'])
  t.same(await namesOf('Zo'), ['Zoë', 'Zoo'])
  t.match(await directory.searchGroups('Zo', 50), { hasMore: false })
  t.equal((await namesOf('', 300)).length, 256)
})

t.test('E12: a search without matches is empty', async t => {
  t.match(await directory.searchGroups('nothing like it', 50), { groups: [], hasMore: false })
})

t.test('E26: groups without a visible id are counted and reported', async t => {
  const other = openDirectory({ ...server.settings, attributes: { id: 'employeeNumber' } })
  t.match(await other.searchGroups('support', 50), { groups: [], withoutId: 2, idName: 'employeeNumber' })
})
