/** E9: a server without paged results (RFC 2696) is asked once without; success means complete, result 4 is a failure. */
import t, { type Test } from 'tap'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { sumsUp } from '../../support/directory.ts'
import { type FakeEntry, type Script, startFake } from '../../support/fake-directory.ts'
import { bindDn, dnOf, group, groups, people, person, settingsFor, startSlapd, suffix } from '../../support/slapd.ts'

const count = 1_200
const names = Array.from({ length: count }, (_, index) => `p${index}`)
const entries: FakeEntry[] = [
  ...[suffix, people, groups].map(dn => ({ dn, attributes: { objectClass: ['organizationalUnit'] } })),
  ...names.map(name => ({
    dn: dnOf(name),
    attributes: {
      ...{
        objectClass: ['person', 'inetOrgPerson'],
        cn: [name],
        mail: [`${name}@larkfield.example`],
        entryUUID: [`id-${name}`]
      }
    }
  })),
  {
    dn: `cn=staff,${groups}`,
    attributes: { objectClass: ['groupOfNames'], cn: ['staff'], entryUUID: ['id-staff'], member: names.map(dnOf) }
  }
]
const root = (supportedControl: string[]) => ({ objectClass: ['top', 'OpenLDAProotDSE'], supportedControl })
const paging = '1.2.840.113556.1.4.319'

/** The answer to requests with the control. */
type Answer = (request: Parameters<Script>[0], reply: Parameters<Script>[1]) => true
const ignores: Answer = (_, reply) => {
  for (const entry of reply.matches()) reply.entry(entry)
  return reply.done()
}
const refuses =
  (code: number): Answer =>
  (_, reply) =>
    reply.done(code, 'no pages here')

async function open(t: Test, rootDse: Record<string, string[]>, answer: Answer, script: Script = () => false) {
  const fake = await startFake({
    entries,
    rootDse,
    script: (request, reply) => script(request, reply) || (request.page !== undefined && answer(request, reply))
  })
  t.teardown(() => fake.stop())
  return { fake, directory: openDirectory(settingsFor(fake.url)) }
}

const servers: [string, Record<string, string[]>, Answer][] = [
  ['lists no control and ignores this one', { objectClass: ['top'] }, ignores],
  ['lists others', root(['1.2.3']), refuses(12)],
  ['lists it and calls it unavailable', root([paging]), refuses(12)],
  ['lists it and is unwilling', root([paging]), refuses(53)],
  ['lists it and ignores it', root([paging]), ignores]
]

for (const [name, rootDse, answer] of servers)
  t.test(`E9: a server that ${name} is searched, read and tested`, async t => {
    const { directory } = await open(t, rootDse, answer)
    t.match(await directory.searchGroups('staff', 10), { groups: [{ id: 'id-staff' }], hasMore: false })
    let taken = 0
    const outcome = await directory.readGroup('id-staff', async set => {
      taken += set.length
    })
    t.match(outcome, { outcome: 'read', reading: { resolved: count, problems: [] } })
    if (outcome.outcome === 'read') sumsUp(t, outcome.reading)
    t.equal(taken, count)
    t.match(await directory.readGroup('id-nobody', async () => {}), { outcome: 'missing' })
    const steps = await directory.test()
    t.ok(
      steps.every(({ ok }) => ok),
      steps.at(-1)!.text
    )
    t.match(steps.map(({ advice }) => advice).join(' '), /cannot answer in pages/)
  })

t.test('E9: if the root entry is hidden, the rest is still readable', async t => {
  for (const code of [1, 32, 50, 53]) {
    const { directory } = await open(
      t,
      {},
      ignores,
      ({ kind, base, scope }, reply) => kind === 'search' && base === '' && scope === 0 && reply.done(code)
    )
    t.match(await directory.readGroup('id-staff', async () => {}), { reading: { resolved: count, problems: [] } })
  }
})

t.test('R8, E9: without pages a size limit is a failure, and no partial answer counts as complete', async t => {
  const limited: Script = ({ kind, page, scope }, reply) => {
    if (kind !== 'search' || page || scope === 0) return false
    for (const entry of reply.matches().slice(0, 100)) reply.entry(entry)
    return reply.matches().length > 100 && reply.done(4)
  }
  for (const rootDse of [root([paging]), root(['1.2.3'])]) {
    const { directory } = await open(t, rootDse, refuses(12), limited)
    t.match(await directory.readGroup('id-staff', async () => {}), { outcome: 'failed', reason: /size limit/ })
  }
})

t.test('E9: an account that OpenLDAP allows no pages, and one that it allows few', async t => {
  const staff = names.slice(0, 300)
  for (const limits of [
    'size.soft=unlimited size.hard=unlimited size.prtotal=disabled',
    'size=unlimited size.pr=noEstimate'
  ]) {
    const server = await startSlapd({
      entries: [...staff.map(name => person(name)), group('staff', staff.map(dnOf))],
      limits: `limits dn.exact="${bindDn}" ${limits} time=unlimited`
    })
    t.teardown(() => server.stop())
    const directory = openDirectory(server.settings)
    const [found] = (await directory.searchGroups('staff', 5)).groups
    t.match(await directory.readGroup(found!.id, async () => {}), { reading: { resolved: 300, problems: [] } }, limits)
  }
})
