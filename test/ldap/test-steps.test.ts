import t from 'tap'
import type { DirectorySettings } from '../../src/ldap/directory.ts'
import { openDirectory } from '../../src/ldap/open-directory.ts'
import { dnOf, group, groups, person, startSlapd, suffix } from '../support/slapd.ts'

const server = await startSlapd({
  entries: [
    ...['ada', 'ben', 'cleo', 'dan'].map(uid => person(uid, { displayName: `Person ${uid}` })),
    group('staff', [dnOf('ada')]),
    group('board', [dnOf('ben')])
  ]
})
t.teardown(() => server.stop())

const test = (more: Partial<DirectorySettings> = {}) => openDirectory({ ...server.settings, ...more }).test()

t.test('each step reports what it found', async t => {
  const steps = await test()
  t.same(
    steps.map(({ name, ok }) => [name, ok]),
    ['resolve', 'connect', 'tls', 'bind', 'base', 'vendor', 'groups', 'people'].map(name => [name, true])
  )
  const text = Object.fromEntries(steps.map(step => [step.name, step.text]))
  t.match(text, { bind: /Signed in as cn=rollcall/, base: `Found ${suffix}`, vendor: 'OpenLDAP' })
  t.equal(text.groups, '2 groups: staff, board')
  t.equal(text.people, '4 people: Person ada, Person ben, Person cleo …')
})

t.test('it stops at the first problem, and says what to do', async t => {
  const cases: [Partial<DirectorySettings>, string, RegExp, RegExp][] = [
    [{ bindPassword: 'wrong' }, 'bind', /DN or the password is wrong/, /Check the bind DN/],
    [{ bindDn: 'nonsense' }, 'bind', /cannot read the DN/, /cn=rollcall/],
    [{ baseDn: 'nonsense' }, 'base', /is not a DN/, /dc=example/],
    [{ baseDn: `ou=Nowhere,${suffix}` }, 'base', /does not exist/, /This server holds dc=larkfield,dc=example/],
    [{ baseDn: 'dc=elsewhere' }, 'base', /does not exist|refers us/, /holds/],
    [{ groupFilter: '(objectClass=device)' }, 'groups', /No groups below/, /filter/],
    [{ peopleFilter: '(objectClass=device)' }, 'people', /No people below/, /filter/],
    [{ attributes: { id: 'employeeNumber' } }, 'groups', /show no employeeNumber/, /another id attribute/],
    [{ baseDn: groups }, 'people', /No people below/, /base/],
    [{ groupFilter: '(cn=x' }, 'base', /filter cannot be read/, /objectClass/]
  ]
  for (const [more, name, words, advice] of cases) {
    const steps = await test(more)
    t.match(steps.at(-1), { name, ok: false, text: words, advice }, JSON.stringify(more))
    t.ok(steps.slice(0, -1).every(step => step.ok))
  }
})

t.test('an anonymous bind works, even where anonymous users may not read', async t => {
  const steps = await test({ bindDn: '', bindPassword: '' })
  t.match(steps[3], { name: 'bind', ok: true, text: 'Signed in anonymously' })
  t.equal(steps.at(-1)!.ok, false)
})
