/** Ways to find the people of a group on a real OpenLDAP with back links, and what no one may read there. */
import t from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { bindDn, dnOf, group, groups, person, startSlapd } from '../../support/slapd.ts'

const names = Array.from({ length: 700 }, (_, index) => `p${index}`)
const linked = names.map(uid => person(uid, { memberOf: [`cn=linked,${groups}`, `cn=stale,${groups}`] }))
const others = Array.from({ length: 300 }, (_, index) => person(`q${index}`))

const server = await startSlapd({
  entries: [
    ...linked,
    ...others,
    group('linked', names.map(dnOf)),
    group('half', [...names.slice(0, 350).map(dnOf), ...others.slice(0, 20).map(({ uid }) => dnOf(String(uid)))]),
    group('stale', names.slice(0, 300).map(dnOf)),
    group('closed', [dnOf('p0')])
  ],
  modules: ['memberof'],
  database: ['overlay memberof'],
  access: [`access to dn.exact="cn=closed,${groups}" attrs=member by dn.exact="${bindDn}" none by * break`]
})
t.teardown(() => server.stop())

async function read(name: string) {
  const directory = openDirectory(server.settings)
  const found = (await directory.searchGroups(name, 20)).groups.find(each => each.name === name)!
  let taken = 0
  const outcome = await directory.readGroup(found.id, async set => {
    taken += set.length
  })
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  return { reading: outcome.reading, taken }
}

t.test('back links are used if they agree', async t => {
  const { reading, taken } = await read('linked')
  t.equal(taken, 700)
  t.same(reading.problems, [])
  t.equal(reading.strategy, 'memberOf in pages')
})

t.test('back links that name too many people add no one', async t => {
  const { reading, taken } = await read('stale')
  t.equal(taken, 300)
  t.match(reading, { listed: 300, resolved: 300 })
})

t.test('without back links the whole directory is compared, and the rest found by name', async t => {
  const { reading, taken } = await read('half')
  t.equal(taken, 370)
  t.same(reading.problems, [])
  t.match(reading.strategy, /everyone, compared here/)
})

t.test('a group whose members are hidden from us is not an empty group', async t => {
  const { reading, taken } = await read('closed')
  t.equal(taken, 0)
  t.match(reading.problems, [/shows no members, though a group of its kind must have one/])
})
