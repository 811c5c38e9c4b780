/** Searching by what people type, against a real server: S11, a text is only ever a text. */
import t from 'tap'
import { openDirectory } from '../../../src/directory/ldap/open-directory.ts'
import { withoutUnseen } from '../../../src/lib/unseen.ts'
import { dnOf, group, groups, person, startSlapd } from '../../support/slapd.ts'

/** Everything that means something in a filter, a DN, BER or a terminal, alone and in company. */
const signs = [
  '*',
  '(',
  ')',
  '\\',
  '&',
  '|',
  '!',
  '=',
  '~',
  '<',
  '>',
  ',',
  ';',
  '+',
  '"',
  '#',
  '/',
  ':',
  '%',
  '\t',
  '\n'
]
const attacks = [
  '*)(objectClass=*',
  '*)(|(objectClass=*',
  '*)(&',
  ')(cn=*',
  '*))%00',
  'x*)(userPassword=*)',
  '\\2a',
  '\\2a\\29',
  '\\00',
  '\\',
  '\\\\',
  'a\0b',
  '\0',
  '(|(cn=*))',
  '!(cn=x)',
  '&(cn=*)',
  'cn=*',
  '*:dn:=*',
  '1.2.840.113556.1.4.1941:=x',
  'dc=larkfield,dc=example',
  '../../etc/passwd',
  '$' + '{jndi:ldap://x}',
  '<script>',
  '__proto__',
  'é*',
  '\u202e*',
  '\ud800'
]
const payloads = [
  ...attacks,
  ...signs.flatMap(sign => [sign, sign.repeat(3), `all${sign}`, `${sign}all`, `a${sign}l`, `*${sign}`, `${sign})(cn=*`])
].slice(0, 200)

const odd = ['star*', 'paren(s)', 'back\\slash', 'Ünïcode', 'comma, plus+', '#hash', 'quote"d', 'a=b']

const server = await startSlapd({
  entries: [
    person('ada', { userPassword: 'ada-secret' }),
    person('all', { userPassword: 'all-secret' }),
    group('all', [dnOf('ada')], { description: 'Everybody at Larkfield', mail: 'everybody@larkfield.example' }),
    ...odd.map((cn, index) => group(`odd-${index}`, [dnOf('ada')], { cn: [`odd-${index}`, cn], displayName: cn })),
    ...Array.from({ length: 30 }, (_, index) => group(`team-${index}`, [dnOf('ada'), dnOf('all')]))
  ]
})
t.teardown(() => server.stop())
const directory = openDirectory(server.settings)

t.test('S11: 200 payloads in the search find only what holds them', async t => {
  t.ok(payloads.length > 170)
  const texts = ['all', 'Everybody at Larkfield', 'everybody@larkfield.example', ...odd]
  const wrong: string[] = []
  for (const payload of payloads) {
    const { groups: found } = await directory.searchGroups(payload, 50)
    const wanted = withoutUnseen(payload.replace(/\s+/g, ' ')).trim().toLowerCase()
    // blanks and unseen signs alone list everything; the rest has to stand in one of the texts, as it is
    if (wanted === '') continue
    const holds = texts.filter(text => text.toLowerCase().includes(wanted))
    if (holds.length === 0 && found.some(({ name }) => !name.toLowerCase().includes(wanted))) wrong.push(payload)
  }
  t.same(wrong, [])
})

t.test('S11: what has signs in its name is found by them', async t => {
  for (const [index, cn] of odd.entries()) {
    const { groups: found } = await directory.searchGroups(cn, 50)
    t.same(
      found.map(({ name }) => name),
      [`odd-${index}`],
      cn
    )
  }
  t.same(
    (await directory.searchGroups('*', 50)).groups.map(({ name }) => name),
    ['odd-0']
  )
})

t.test('S11: 200 payloads as a login find nobody', async t => {
  for (const payload of payloads) {
    if (payload.trim() === 'all') continue
    t.same(await directory.checkPassword(payload, 'ada-secret'), { outcome: 'wrong' })
  }
})

t.test('S11: 200 payloads as a stored id find nothing', async t => {
  t.same(await directory.findGroups(payloads), [])
  t.same(await directory.findPeople(payloads), [])
  for (const payload of payloads.slice(0, 20))
    t.same(await directory.readGroup(payload, async () => void t.fail()), { outcome: 'missing' })
})

t.test('search: name, mail and description, without case; more than the limit is said', async t => {
  for (const q of ['EVERYBODY at', 'everybody@lark', 'all'])
    t.match((await directory.searchGroups(q, 50)).groups, [{ name: 'all', dn: `cn=all,${groups}`, members: 1 }], q)
  const some = await directory.searchGroups('team-', 10)
  t.equal(some.groups.length, 10)
  t.equal(some.hasMore, true)
  t.equal(some.groups[0]!.members, 2)
  const every = await directory.searchGroups('team-', 30)
  t.equal(every.groups.length, 30)
  t.equal(every.hasMore, false)
  t.equal((await directory.searchGroups('', 100)).groups.length, 39)
  t.same(await directory.searchGroups('nothing like it', 10), { groups: [], hasMore: false })
})
