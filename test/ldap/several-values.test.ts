/** E7: LDAP values have no order, so of several the same one is always chosen, in every request. */
import t, { type Test } from 'tap'
import { openDirectory } from '../../src/ldap/open-directory.ts'
import { addressesOf, chooseAddress } from '../../src/ldap/schema/address.ts'
import { Entry } from '../../src/ldap/syntax/entry.ts'
import { decodeEntry, headOf } from '../../src/ldap/wire/ber.ts'
import { encodeEntry, message } from '../support/fake-directory.ts'
import { caseEntries, dnOf, group, person, startSlapd } from '../support/slapd.ts'

function entryOf(attributes: Record<string, string[]>, dn = 'uid=a,o=x') {
  const bytes = message(2, encodeEntry({ dn, attributes }))
  return new Entry(decodeEntry(bytes, headOf(bytes).operation))
}

const own = ['larkfield.example']
/** The choice among these values, which must be the same in every order. */
function choose(t: Test, attributes: Record<string, string[]>, domains = own, mail = ['mail']) {
  const of = (each: Record<string, string[]>) => {
    const names = { mail, domains: new Set(domains) } as unknown as Parameters<typeof chooseAddress>[1]
    return chooseAddress(addressesOf(entryOf(each), names), names)
  }
  const chosen = of(attributes)
  const turned = Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, values.toReversed()]))
  t.equal(of(turned), chosen, 'whatever the order')
  return chosen
}

t.test('E7: the address in one of our domains is chosen', async t => {
  const cases: [Record<string, string[]>, string | null][] = [
    [{ mail: ['multi@old-company.example', 'multi@larkfield.example'] }, 'multi@larkfield.example'],
    [{ mail: ['z@larkfield.example', 'b@larkfield.example', 'a@old.example'] }, 'b@larkfield.example'],
    [{ mail: ['b@old.example', 'a@old.example'] }, 'a@old.example'],
    [{ mail: ['not an address', 'a@old.example'] }, 'a@old.example'],
    [{ mail: ['nothing', 'also nothing'] }, 'also nothing'],
    [{ mail: ['A@LARKFIELD.EXAMPLE ', 'a@old.example'] }, 'A@LARKFIELD.EXAMPLE'],
    [{ mail: ['   ', 'a@old.example'] }, 'a@old.example'],
    [{ mail: [] }, null],
    [{ mail: ['a@sub.larkfield.example', 'b@larkfield.example'] }, 'b@larkfield.example'],
    [{ mail: ['a@larkfield.example.evil.example', 'b@larkfield.example'] }, 'b@larkfield.example']
  ]
  for (const [attributes, expected] of cases) t.equal(choose(t, attributes), expected)
  t.equal(choose(t, { mail: ['x@b.example', 'x@a.example'] }, ['a.example', 'b.example']), 'x@a.example')
  t.equal(
    choose(t, { mail: ['a@old.example'], work: ['b@larkfield.example'] }, own, ['mail', 'work']),
    'b@larkfield.example'
  )
})

t.test('E7: Exchange’s primary address comes before its aliases', async t => {
  const cases: [Record<string, string[]>, string | null][] = [
    [{ proxyAddresses: ['smtp:old@x.example', 'SMTP:ada@x.example'] }, 'ada@x.example'],
    [{ mail: ['m@x.example'], proxyAddresses: ['SMTP:ada@x.example'] }, 'm@x.example'],
    [{ mail: ['m@x.example'], proxyAddresses: ['SMTP:ada@larkfield.example'] }, 'ada@larkfield.example'],
    [
      { mail: ['m@x.example'], proxyAddresses: ['smtp:m@larkfield.example', 'SMTP:m@x.example'] },
      'm@larkfield.example'
    ],
    [
      { mail: ['a@larkfield.example', 'b@larkfield.example'], proxyAddresses: ['SMTP:B@larkfield.example'] },
      'b@larkfield.example'
    ],
    // an alias elsewhere may lead to a mailbox that now belongs to another person
    [{ proxyAddresses: ['smtp:old@x.example', 'X500:/o=x'] }, null],
    [{ proxyAddresses: ['smtp:old@larkfield.example'] }, 'old@larkfield.example']
  ]
  for (const [attributes, expected] of cases) t.equal(choose(t, attributes), expected)
})

t.test('E7: of several names the one in the DN is chosen, otherwise always the same one', async t => {
  t.equal(entryOf({ cn: ['Personnel', 'Staff'] }, 'cn=staff,o=x').text('cn'), 'Staff')
  t.equal(entryOf({ cn: ['A', 'Smith, John'] }, 'cn=Smith\\, John,o=x').text('cn'), 'Smith, John')
  for (const cn of [
    ['Bob', 'Ada', ' '],
    [' ', 'Ada', 'Bob']
  ])
    t.equal(entryOf({ cn }).text('cn'), 'Ada')
  t.equal(
    entryOf({ displayName: ['😀'.repeat(400)] })
      .text('displayName')!
      .isWellFormed(),
    true,
    'F11: cut well-formed'
  )
})

t.test('E7: sync, look-up and sign-in agree, and other domains lead to another choice', async t => {
  const [multi] = caseEntries('multi-mail.ldif')
  const server = await startSlapd({
    entries: [
      { ...multi!, userPassword: 'multi-secret' },
      person('titled', { title: ['Lead', 'Clerk'], departmentNumber: ['B', 'A'], cn: ['Zed', 'Amy'] }),
      group('staff', [multi!.dn, dnOf('titled')], { mail: ['s@old-company.example', 's@larkfield.example'] })
    ]
  })
  t.teardown(() => server.stop())
  for (const [domain, mail] of [
    ['larkfield.example', 'multi@larkfield.example'],
    ['old-company.example', 'multi@old-company.example']
  ] as const) {
    const directory = openDirectory({ ...server.settings, domains: [domain] })
    const [staff] = (await directory.searchGroups('staff', 5)).groups
    t.equal(staff!.mail, `s@${domain}`)
    const read: {
      id: string
      mail: string | null
      name: string | null
      title: string | null
      department: string | null
    }[] = []
    await directory.readGroup(staff!.id, async people => void read.push(...people))
    const found = read.find(each => each.name === 'Multi')!
    t.equal(found.mail, mail)
    t.match(
      read.find(each => each.name === 'Amy'),
      { title: 'Clerk', department: 'A' }
    )
    t.match(await directory.findPeople([found.id]), [{ mail }])
    for (const address of ['multi@larkfield.example', 'multi@old-company.example'])
      t.match(await directory.checkPassword({ address }, 'multi-secret'), { outcome: 'right', person: { mail } })
  }
})
