/** Searching for typed text on a real server: S11, text is only ever text. */
import t from 'tap'
import { openDirectory } from '../../src/ldap/open-directory.ts'
import { withoutUnseen } from '../../src/lib/text/unseen.ts'
import { dnOf, group, groups, person, startSlapd } from '../support/slapd.ts'

/** Everything that has a meaning in a filter, a DN, BER or a terminal, alone and combined. */
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
  ...[
    '*)(objectClass=*',
    '*)(|(objectClass=*',
    '*)(&',
    ')(cn=*',
    '*))%00',
    'x*)(userPassword=*)',
    '(|(cn=*))',
    '!(cn=x)'
  ],
  ...['*)(uid=*))(|(uid=*', 'ada)(|(password=*))', ')(objectClass=*))(&(objectClass=void', '*)(!(cn=zzz)', '&(cn=*)'],
  ...[
    'all*)(description=*',
    '(cn=all)',
    '(&(cn=all)(objectClass=*))',
    '(!(cn=nobody))',
    'all)(&(objectClass=*)',
    'cn=*'
  ],
  ...['\\2a', '\\2a\\29', '\\00', '\\', '\\\\', '\\28cn=\\2a\\29', '\\61\\6c\\6c', '\\u002a', '\\0d\\0abind', '%2a'],
  ...[
    'a*l',
    'al*',
    '*ll',
    'a**l',
    '*:dn:=*',
    '1.2.840.113556.1.4.1941:=x',
    ':caseExactMatch:=all',
    ':dn:2.5.13.2:=all'
  ],
  ...[
    '=*',
    '>=a',
    '<=z',
    '~=all',
    'cn=all',
    'cn=all,ou=Groups',
    'dc=larkfield,dc=example',
    '#04024869',
    'cn=#04024869'
  ],
  ...[
    'a\0b',
    '\0',
    'all\0',
    '\ud800',
    'all\ud800',
    'é*',
    '\u202e*',
    '＊',
    '（cn=＊）',
    '\u2217',
    '&#42;',
    '%28cn%3d*%29'
  ],
  ...[
    "' or '1'='1",
    '"; drop table teams; --',
    '$' + '{jndi:ldap://x}',
    '{{7*7}}',
    '<script>',
    '__proto__',
    '../../etc/passwd'
  ]
]
const payloads = [
  ...attacks,
  ...signs.flatMap(sign => [sign, sign.repeat(3), `all${sign}`, `${sign}all`, `a${sign}l`, `*${sign}`, `${sign})(cn=*`])
]

const odd = ['star*', 'paren(s)', 'back\\slash', 'Ünïcode', 'comma, plus+', '#hash', 'quote"d', 'a=b']

/** Compares as servers do (RFC 4518): forms, case, spaces and invisible characters make no difference. */
const prepared = (text: string) =>
  withoutUnseen(text.toWellFormed().replace(/\s+/g, ' ')).normalize('NFKC').trim().toLowerCase()
/** Payloads that are possible as names in a directory. */
const nameable = [...new Map(payloads.map(payload => [prepared(payload), payload])).values()].filter(
  payload =>
    prepared(payload) !== '' && payload.isWellFormed() && !/[\0\t\n]/.test(payload) && prepared(payload) !== 'all'
)
const hex = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '\\$&')

const entries = [
  person('ada', { userPassword: 'ada-secret' }),
  person('all', { userPassword: 'all-secret' }),
  group('all', [dnOf('ada')], { description: 'Everybody at Larkfield', mail: 'everybody@larkfield.example' }),
  ...odd.map((cn, index) => group(`odd-${index}`, [dnOf('ada')], { cn: [`odd-${index}`, cn], displayName: cn })),
  ...Array.from({ length: 30 }, (_, index) => group(`team-${index}`, [dnOf('ada'), dnOf('all')]))
]
const server = await startSlapd({ entries })
/** The same with groups that are named like payloads. */
const hostile = await startSlapd({
  entries: [...entries, ...nameable.map(cn => group(cn, [dnOf('all')], { dn: `cn=${hex(cn)},${groups}` }))]
})
t.teardown(() => Promise.all([server.stop(), hostile.stop()]))
const directory = openDirectory(server.settings)
const amongHostile = openDirectory(hostile.settings)

t.test('S11: each of 200 payloads in the search finds only entries that contain it', async t => {
  t.ok(new Set(payloads).size >= 200, `${new Set(payloads).size} payloads`)
  const texts = new Map<string, string[]>([['all', ['all', 'Everybody at Larkfield', 'everybody@larkfield.example']]])
  for (const [index, cn] of odd.entries()) texts.set(`odd-${index}`, [`odd-${index}`, cn])
  for (let index = 0; index < 30; index += 1) texts.set(`team-${index}`, [`team-${index}`])
  for (const cn of nameable) texts.set(cn, [cn])
  for (const payload of payloads) {
    const wanted = prepared(payload)
    // spaces and invisible characters alone list everything
    if (wanted === '') continue
    const holds = [...texts]
      .filter(([, own]) => own.some(text => prepared(text).includes(wanted)))
      .map(([name]) => name)
    const { groups: found } = await amongHostile.searchGroups(payload, 500)
    t.same(found.map(({ name }) => name).sort(), holds.sort(), JSON.stringify(payload))
  }
})

t.test('S11: groups named like payloads are read by their names, and add no one else', async t => {
  t.ok(nameable.length > 150, `${nameable.length} names`)
  const { groups: found } = await amongHostile.searchGroups('', 500)
  for (const cn of nameable) {
    const own = found.find(({ name }) => name === cn.trim())
    const taken: string[] = []
    const outcome = await amongHostile.readGroup(
      own!.id,
      async people => void taken.push(...people.map(({ dn }) => dn))
    )
    t.match(outcome, { outcome: 'read', reading: { listed: 1, problems: [] } }, cn)
    t.same(taken, [dnOf('all')], cn)
  }
})

t.test('S11: entries with special characters in their name are found by them', async t => {
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

t.test('S11: 200 payloads as an address find no one', async t => {
  for (const payload of payloads) {
    if (payload.trim() === 'all') continue
    const address = `${payload}@larkfield.example`
    t.same(await directory.checkPassword({ address }, 'ada-secret'), { outcome: 'missing' })
  }
})

t.test('S11: 200 payloads as a stored id find nothing', async t => {
  t.same(await directory.findGroups(payloads), [])
  t.same(await directory.findPeople(payloads), [])
  for (const payload of payloads.slice(0, 20))
    t.same(await directory.readGroup(payload, async () => void t.fail()), { outcome: 'missing' })
})

t.test('search covers name, mail and description in any case, and reports when it exceeds the limit', async t => {
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
