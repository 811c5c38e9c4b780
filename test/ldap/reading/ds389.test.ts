/** A real 389 Directory Server: runs where it is installed, otherwise says why not. From its groups to a team: ../../sync. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { DirectoryPerson, DirectorySettings } from '../../../src/ldap/directory.ts'
import { openDirectory } from '../../../src/ldap/open-directory.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { mayRead, start389, whyNo389, whyNo389Tls } from '../../support/ds389.ts'
import { bindDn, dnOf, group, groups, type LdifEntry, people, person, suffix } from '../../support/slapd.ts'

const skip = whyNo389
const cn = (name: string) => `cn=${name},${groups}`
const names = Array.from({ length: 1_500 }, (_, index) => `p${index}`)
const few = Array.from({ length: 100 }, (_, index) => `f${index}`)

/** People as dsidm, the server's own tool, creates them: no inetOrgPerson, and no surname. */
const dsidmPerson = (uid: string): LdifEntry => ({
  dn: `uid=${uid},${people}`,
  objectClass: ['top', 'nsPerson', 'nsAccount', 'nsOrgPerson', 'posixAccount'],
  ...{ uid, cn: uid, displayName: `The ${uid}`, mail: `${uid}@larkfield.example` },
  ...{ uidNumber: '1000', gidNumber: '1000', homeDirectory: '/' }
})

const entries: LdifEntry[] = [
  person('ada', { userPassword: 'ada-secret', title: 'Head', departmentNumber: 'Ops', manager: dnOf('ben') }),
  person('ben', { userPassword: 'ben-secret' }),
  person('off', { userPassword: 'off-secret', nsAccountLock: 'true' }),
  person('role', { userPassword: 'role-secret' }),
  person('smith', { dn: `cn=Smith\\, John,${people}`, cn: 'Smith, John' }),
  dsidmPerson('dee'),
  ...[...names, ...few].map(uid => person(uid)),
  group('crowd', names.map(dnOf)),
  group('few', few.map(dnOf)),
  group('spelled', [`UID=Ada, OU=People,${suffix}`, dnOf('ada'), `cn=Smith\\2C John,${people}`]),
  group('own tool', [`uid=dee,${people}`]),
  group('locked', [dnOf('off'), dnOf('role')]),
  group('nobody', []),
  group('leftovers', [dnOf('ada'), dnOf('gone'), `uid=old,ou=Closed,${people}`, 'uid=x,dc=elsewhere']),
  {
    dn: cn('unique'),
    objectClass: ['top', 'groupOfUniqueNames'],
    cn: 'unique',
    uniqueMember: [dnOf('ada'), `${dnOf('ben')}#'0110'B`]
  },
  {
    dn: cn('dynamic'),
    objectClass: ['top', 'groupOfURLs'],
    cn: 'dynamic',
    memberURL: `ldap:///${people}??sub?(|(uid=ada)(uid=ben))`
  }
]

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-certificates-'))
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
const authority = whyNo389Tls ? undefined : makeAuthority(folder)
const tls = authority && { ...authority.issue('DNS:localhost,IP:127.0.0.1'), ca: authority.ca }
const server = skip ? undefined : await start389({ entries, ...(tls ? { tls } : {}) })
t.teardown(() => server?.stop())
const directory = openDirectory(server?.settings ?? ({} as DirectorySettings))

/** Sets attributes of one entry; null removes one. */
function set(dn: string, attributes: Record<string, string | string[] | null>) {
  const changes = Object.entries(attributes).map(([name, value]) =>
    [`replace: ${name}`, ...(value === null ? [] : [value].flat().map(each => `${name}: ${each}`))].join('\n')
  )
  server!.change(`dn: ${dn}\nchangetype: modify\n${changes.join('\n-\n')}\n`)
}
const setUntilEnd = (t: Test, dn: string, now: Record<string, string>, then: Record<string, string | null>) => {
  set(dn, now)
  t.teardown(() => set(dn, then))
}
/** Adds entries over LDAP: those with memberOf need the plugin, which an import bypasses. */
const addGroup = (name: string, members: string[]) =>
  server!.change(
    `dn: ${cn(name)}\nchangetype: add\nobjectClass: groupOfNames\ncn: ${name}\n${members.map(dn => `member: ${dn}\n`).join('')}`
  )
const database = 'cn=config,cn=ldbm database,cn=plugins,cn=config'
const allows = (attributes: string) =>
  `(targetattr ${attributes})(version 3.0; acl "a"; allow (read, search, compare) userdn = "ldap:///${bindDn}";)`
const denies = (attributes: string, rights: string, target = '') =>
  `${target}(targetattr ${attributes})(version 3.0; acl "d"; deny (${rights}) userdn = "ldap:///${bindDn}";)`
/** Sets the bind account's rights until the test ends. */
function setAccess(t: Test, ...access: string[]) {
  t.teardown(() => set(suffix, { aci: mayRead }))
  set(suffix, { aci: access })
}

const groupNamed = async (name: string) =>
  (await directory.searchGroups(name, 50)).groups.find(each => each.name === name)!

async function read(name: string, id?: string) {
  const taken: DirectoryPerson[] = []
  const outcome = await directory.readGroup(id ?? (await groupNamed(name)).id, async set => void taken.push(...set))
  if (outcome.outcome !== 'read') throw new Error(JSON.stringify(outcome))
  const names = taken.map(({ dn }) => dn.split(',')[0]!.replace(/^\w+=/, '')).sort()
  return { reading: outcome.reading, problems: outcome.reading.problems, taken, names }
}

/** Why the group cannot be read, or the problems of its reading. */
async function failure(id: string) {
  const outcome = await directory.readGroup(id, async () => {})
  return outcome.outcome === 'read' ? outcome.reading.problems.join(' ') : JSON.stringify(outcome)
}

t.test('the test of the settings passes and recognizes the server', { skip }, async t => {
  const steps = await directory.test()
  t.same(
    steps.filter(step => !step.ok),
    []
  )
  t.match(
    steps.find(({ name }) => name === 'vendor'),
    { text: /^389 Directory Server \(389 Project 389-Directory/ }
  )
})

t.test('groupOfNames, groupOfUniqueNames and groupOfURLs, by nsUniqueId', { skip }, async t => {
  const { reading, taken } = await read('spelled')
  t.match(reading, { listed: 2, resolved: 2, dangling: 0, problems: [], group: { kind: 'group', members: 2 } })
  t.match(reading.group.id, /^[0-9a-f]{8}(-[0-9a-f]{8}){3}$/)
  t.match(
    taken.find(({ dn }) => dn === dnOf('ada')),
    { title: 'Head', department: 'Ops', manager: dnOf('ben'), id: /^[0-9a-f]{8}(-[0-9a-f]{8}){3}$/ }
  )
  t.match(await read('unique'), { names: ['ada', 'ben'], problems: [] })
  t.match(await read('dynamic'), { names: ['ada', 'ben'], problems: [] })
})

t.test('people created by its own tool count as people', { skip }, async t => {
  const { names, taken, reading } = await read('own tool')
  t.same(names, ['dee'])
  t.match(taken[0], { name: 'The dee', mail: 'dee@larkfield.example' })
  t.match(reading, { others: 0, problems: [] })
})

t.test('it keeps deleted members, and allows an empty groupOfNames', { skip }, async t => {
  t.match((await read('leftovers')).reading, { listed: 4, resolved: 1, dangling: 2, foreignBase: 1, problems: [] })
  t.match((await read('nobody')).reading, { listed: 0, resolved: 0, problems: [] })
})

t.test('nested groups in a circle; its memberOf also names nested people, and adds no one', { skip }, async t => {
  addGroup('inner', names.slice(0, 600).map(dnOf))
  addGroup('outer', [...names.slice(1_000, 1_300).map(dnOf), cn('inner')])
  server!.change(
    `dn: ${cn('inner')}\nchangetype: modify\nadd: member\nmember: ${cn('outer')}\nmember: ${cn('inner')}\n`
  )
  const { reading, names: found, taken } = await read('outer')
  t.equal(found.length, 900)
  t.match(reading, { listed: 903, resolved: 900, nestedGroups: 1, cyclesCut: 2, dangling: 0, problems: [] })
  t.match(reading.strategy, /memberOf in pages/)
  t.match(taken.find(({ dn }) => dn === dnOf('p1'))!.via, 'inner')
})

t.test('people disabled by nsAccountLock or by the equivalent role', { skip }, async t => {
  server!.change(disabledRole)
  server!.change(`dn: ${dnOf('role')}\nchangetype: modify\nadd: nsRoleDN\nnsRoleDN: ${managedRole}\n`)
  // the server takes a moment to notice its new roles
  let people: DirectoryPerson[] = []
  for (let tries = 0; tries < 50 && !people.every(({ isDisabled }) => isDisabled); tries += 1) {
    await new Promise(resolve => setTimeout(resolve, 100))
    people = (await read('locked')).taken
  }
  people = (await read('locked')).taken
  t.same(
    people.map(({ isDisabled }) => isDisabled),
    [true, true]
  )
  for (const uid of ['off', 'role'])
    t.same(await directory.checkPassword({ address: `${uid}@larkfield.example` }, `${uid}-secret`), {
      outcome: 'wrong'
    })
})

t.test('sign-in with the directory’s password, and its own lock after wrong ones', { skip }, async t => {
  t.match(await directory.checkPassword({ address: 'ada@larkfield.example' }, 'ada-secret'), {
    outcome: 'right',
    person: { dn: dnOf('ada') }
  })
  for (const password of ['', 'ben-secret'])
    t.same(await directory.checkPassword({ address: 'ada@larkfield.example' }, password), { outcome: 'wrong' })
  setUntilEnd(t, 'cn=config', { passwordLockout: 'on', passwordMaxFailure: '2' }, { passwordLockout: 'off' })
  for (const password of ['x', 'y', 'ben-secret'])
    t.same(
      await directory.checkPassword({ address: 'ben@larkfield.example' }, password),
      { outcome: 'wrong' },
      password
    )
  t.match((await read('unique')).taken.find(({ dn }) => dn === dnOf('ben'))!.isDisabled, false, 'a pause is no leave')
})

t.test('after renames and moves, even of the unit above, people and group stay the same', { skip }, async t => {
  const before = await read('few')
  const branch = `ou=Branch,${people}`
  const move = (uid: string, to: string) =>
    `dn: ${dnOf(uid)}\nchangetype: modrdn\nnewrdn: uid=${to}\ndeleteoldrdn: 1\nnewsuperior: ${branch}\n`
  server!.change(
    [
      `dn: ${branch}\nchangetype: add\nobjectClass: organizationalUnit\nou: Branch\n`,
      move('f10', 'renamed'),
      move('f11', 'f11'),
      `dn: ${branch}\nchangetype: modrdn\nnewrdn: ou=Twig\ndeleteoldrdn: 1\n`,
      `dn: ${cn('few')}\nchangetype: modrdn\nnewrdn: cn=a few\ndeleteoldrdn: 1\n`
    ].join('\n')
  )
  const after = await read('a few', before.reading.group.id)
  t.match(after.reading, { resolved: 100, dangling: 0, problems: [], group: { name: 'a few' } })
  const ids = (people: DirectoryPerson[]) => people.map(({ id }) => id).sort()
  t.same(ids(after.taken), ids(before.taken))
  t.ok(after.taken.some(({ dn }) => dn.toLowerCase() === `uid=renamed,ou=twig,${people}`.toLowerCase()))
  server!.change(`dn: uid=renamed,ou=Twig,${people}\nchangetype: delete\n`)
  t.match(
    (await read('a few')).reading,
    { resolved: 99, dangling: 0, problems: [] },
    'it takes who is deleted out itself'
  )
  const gone = before.taken.find(({ dn }) => dn === dnOf('f10'))!
  const there = before.taken.find(({ dn }) => dn === dnOf('f11'))!
  t.match(await directory.findPeople([gone.id, there.id]), [{ id: there.id }])
  const { id } = await groupNamed('own tool')
  server!.change(`dn: ${cn('own tool')}\nchangetype: delete\n`)
  t.same(await directory.readGroup(id, async () => {}), { outcome: 'missing' })
})

t.test(
  'a size limit does not affect pages, unless a page has more entries: then the run says so',
  { skip },
  async t => {
    const { id } = await groupNamed('crowd')
    t.teardown(() => set('cn=config', { 'nsslapd-sizelimit': '2000' }))
    set('cn=config', { 'nsslapd-sizelimit': '700' })
    t.match((await read('crowd')).reading, { resolved: 1_500, problems: [] })
    set('cn=config', { 'nsslapd-sizelimit': '300' })
    t.match(await failure(id), /size limit.*Lift the size limit/)
  }
)

t.test('its usual look-through limit disables the fast ways, and everyone is found by name', { skip }, async t => {
  setUntilEnd(t, database, { 'nsslapd-lookthroughlimit': '700' }, { 'nsslapd-lookthroughlimit': '5000' })
  const { reading } = await read('crowd')
  t.match(reading, { listed: 1_500, resolved: 1_500, dangling: 0, problems: [] })
  t.match(reading.strategy, /filters of 50 names/)
  const step = (await directory.test()).at(-1)
  t.match(step, { name: 'people', ok: true, text: /^More than \d+ people: /, advice: /look-through limit/ })
  t.match(await directory.checkPassword({ address: 'ada@larkfield.example' }, 'ada-secret'), { outcome: 'right' })
  t.equal((await directory.searchGroups('crowd', 5)).groups.length, 1)
})

t.test('a server that refuses filters with unknown names is asked without them', { skip }, async t => {
  const strict = 'nsslapd-verify-filter-schema'
  setUntilEnd(t, 'cn=config', { [strict]: 'reject-invalid' }, { [strict]: 'process-safe' })
  t.equal((await directory.searchGroups('crowd', 5)).groups.length, 1)
  t.match(await directory.checkPassword({ address: 'ada@larkfield.example' }, 'ada-secret'), { outcome: 'right' })
  t.match((await read('unique')).reading, { resolved: 2, problems: [] })
  t.match((await read('nobody')).reading, { resolved: 0, problems: [] })
  t.ok((await directory.test()).every(({ ok }) => ok))
})

t.test(
  'the run fails when rights are lost: to the id, to members, to addresses, to people, to all',
  { skip },
  async t => {
    const { id } = await groupNamed('crowd')
    const nobody = (await groupNamed('nobody')).id
    const everything = allows('= "*"')
    const cases: [string[], string, RegExp][] = [
      [[allows('!= "nsUniqueId"')], id, /finds no group by its nsUniqueId/],
      [[everything, denies('= "nsUniqueId"', 'search')], id, /finds no group by its nsUniqueId/],
      [[allows('!= "member"')], id, /shows no members/],
      [[allows('!= "member"')], nobody, /shows no members/],
      [[allows('!= "mail"')], id, /No one in the directory shows an email address/],
      [[everything, denies('= "*"', 'read, search', `(target = "ldap:///${people}")`)], id, /missing or hidden/],
      [[allows('!= "objectClass"')], id, /no longer shows any group/],
      [
        ['(targetattr = "cn")(version 3.0; acl "n"; allow (read) userdn = "ldap:///self";)'],
        id,
        /no longer shows any group/
      ]
    ]
    for (const [access, group, words] of cases)
      await t.test(access.join(' '), async t => {
        setAccess(t, ...access)
        t.match(await failure(group), words)
      })
  }
)

t.test('a hidden person does not count as deleted', { skip }, async t => {
  setAccess(t, allows('= "*"'), denies('= "*"', 'read, search', `(target = "ldap:///${dnOf('f50')}")`))
  t.match((await read('a few')).problems, [/^1 of its members are missing or hidden/])
})

t.test('a person behind a reference to another server does not count as deleted', { skip }, async t => {
  const ref = `uid=ref,${people}`
  server!.change(
    [
      `dn: ${ref}\nchangetype: add\nobjectClass: extensibleObject\nobjectClass: referral\nuid: ref\nref: ldap://other.example/${ref}\n`,
      `dn: ${cn('unique')}\nchangetype: modify\nadd: uniqueMember\nuniqueMember: ${ref}\n`
    ].join('\n')
  )
  t.match((await read('unique')).problems, [/missing or hidden/])
  server!.change(`dn: ${cn('unique')}\nchangetype: modify\ndelete: uniqueMember\nuniqueMember: ${ref}\n`)
})

t.test('an account that finds no one by DN reads entries one by one', { skip }, async t => {
  setAccess(t, allows('!= "entrydn"'))
  const { reading } = await read('unique')
  t.match(reading, { resolved: 2, problems: [], strategy: 'one by one' })
})

t.test('ldaps and StartTLS; a server that requires encryption is recognized', { skip: whyNo389Tls }, async t => {
  const { url, ldapsUrl, settings } = server!
  const ways: Partial<DirectorySettings>[] = [
    { url: ldapsUrl },
    { url: ldapsUrl.replace('127.0.0.1', 'localhost') },
    { url, startTls: true }
  ]
  for (const way of ways) {
    const secured = openDirectory({ ...settings, ...way, ca: tls!.ca })
    const steps = await secured.test()
    t.ok(
      steps.every(({ ok }) => ok),
      JSON.stringify(steps.at(-1))
    )
    t.match(steps.find(({ name }) => name === 'tls')!.text, /TLSv1.*issued by Larkfield CA/)
    t.match(await secured.checkPassword({ address: 'ada@larkfield.example' }, 'ada-secret'), { outcome: 'right' })
  }
  t.match((await openDirectory({ ...settings, url, startTls: true }).test()).at(-1), { name: 'tls', ok: false })
  set('cn=config', { 'nsslapd-require-secure-binds': 'on' })
  t.match((await directory.test()).at(-1), { name: 'bind', ok: false, text: /requires encryption/ })
})

t.test('a locked bind account is reported clearly', { skip }, async t => {
  const own = await start389({ entries: [person('ada'), group('staff', [dnOf('ada')])] })
  t.teardown(() => own.stop())
  const last = async () => (await openDirectory(own.settings).test()).at(-1)
  t.match(await last(), { ok: true })
  own.change(`dn: ${bindDn}\nchangetype: modify\nadd: nsAccountLock\nnsAccountLock: true\n`)
  t.match(await last(), { name: 'bind', ok: false, text: /inactivated/ })
})

const managedRole = `cn=nsManagedDisabledRole,${suffix}`
const disabledNest = `cn=nsDisabledRole,${suffix}`
const templates = `cn=nsAccountInactivationTmp,${suffix}`
/** As ns-inactivate and dsidm write it: the server computes nsAccountLock for people with the role. */
const disabledRole = [
  [managedRole, 'LDAPsubentry nsRoleDefinition nsSimpleRoleDefinition nsManagedRoleDefinition'],
  [
    disabledNest,
    'LDAPsubentry nsRoleDefinition nsComplexRoleDefinition nsNestedRoleDefinition',
    `nsRoleDN: ${managedRole}`
  ],
  [templates, 'nsContainer'],
  [
    `cn="${disabledNest}",${templates}`,
    'extensibleObject costemplate ldapsubentry',
    'cosPriority: 1',
    'nsAccountLock: true'
  ],
  [
    `cn=nsAccountInactivation_cos,${suffix}`,
    'LDAPsubentry cosSuperDefinition cosClassicDefinition',
    `cosTemplateDn: ${templates}`,
    'cosSpecifier: nsRole',
    'cosAttribute: nsAccountLock operational'
  ]
]
  .map(([dn, classes, ...more]) =>
    [
      `dn: ${dn}`,
      'changetype: add',
      ...`top ${classes}`.split(' ').map(each => `objectClass: ${each}`),
      ...more,
      ''
    ].join('\n')
  )
  .join('\n')
