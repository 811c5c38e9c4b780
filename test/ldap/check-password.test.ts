import t from 'tap'
import { openDirectory } from '../../src/ldap/open-directory.ts'
import { adOptions, adUnits, adUser } from '../support/fake-active-directory.ts'
import { message, result, startFake } from '../support/fake-directory.ts'
import { dnOf, group, person, settingsFor, startSlapd } from '../support/slapd.ts'

const server = await startSlapd({
  entries: [
    person('ada', { userPassword: 'ada-secret', mail: ['ada@larkfield.example', 'a.lovelace@larkfield.example'] }),
    person('ben', { userPassword: 'ben-secret' }),
    person('twin1', { userPassword: 'twin-secret', mail: 'twin@larkfield.example' }),
    person('twin2', { userPassword: 'twin-secret', mail: 'twin@larkfield.example' }),
    person('bare'),
    person('locked', { userPassword: 'locked-secret', loginDisabled: 'TRUE' }),
    group('staff', [dnOf('ada')])
  ],
  global: ["attributetype ( 1.1.1 NAME 'loginDisabled' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 )"],
  access: []
})
t.teardown(() => server.stop())
const directory = openDirectory(server.settings)

const at = (uid: string) => ({ address: `${uid}@larkfield.example` })

t.test('people sign in by any of their addresses, in any case', async t => {
  for (const uid of ['ada', 'ADA', 'a.lovelace'])
    t.match(
      await directory.checkPassword(at(uid), 'ada-secret'),
      { outcome: 'right', person: { dn: dnOf('ada') } },
      uid
    )
})

t.test('wrong, foreign and empty passwords, unknown addresses and shared ones are refused without details', async t => {
  const no: [string, string, string][] = [
    ['ada', 'ben-secret', 'wrong'],
    ['ada', 'ada-secret ', 'wrong'],
    ['ada', '', 'wrong'],
    ['nobody', 'ada-secret', 'missing'],
    ['bare', 'anything', 'wrong'],
    ['twin', 'twin-secret', 'ambiguous'],
    ['locked', 'locked-secret', 'wrong'],
    ['staff', 'ada-secret', 'missing'],
    ['ａｄａ', 'ada-secret', 'missing'],
    ['a\0da', 'ada-secret', 'missing'],
    ['ada\u200b', 'ada-secret', 'missing']
  ]
  for (const [uid, password, outcome] of no)
    t.same(await directory.checkPassword(at(uid), password), { outcome }, `${uid} ${password}`)
})

t.test('excluded people cannot sign in', async t => {
  const excluding = openDirectory({ ...server.settings, exclusions: ['ben@larkfield.example'] })
  t.same(await excluding.checkPassword({ address: 'ben@larkfield.example' }, 'ben-secret'), { outcome: 'wrong' })
})

t.test('a refused bind account is our problem, not the person’s', async t => {
  const mistaken = openDirectory({ ...server.settings, bindPassword: 'wrong' })
  t.match(await mistaken.checkPassword({ address: 'ada@larkfield.example' }, 'ada-secret'), {
    outcome: 'unavailable',
    reason: /DN or the password/
  })
})

t.test('at most one bind as the person, and none for an empty password or a disabled person', async t => {
  const fake = await startFake({
    ...adOptions,
    entries: [...adUnits, adUser('ada', []), adUser('off', [], { userAccountControl: ['514'] })],
    script: ({ kind, dn, id }, reply) =>
      kind === 'bind' && dn.startsWith('CN=ada') && reply.raw(message(id, result(0x61, 49, 'data 52e')))
  })
  t.teardown(() => fake.stop())
  const ad = openDirectory(settingsFor(fake.url))
  const binds = () => fake.requests.filter(({ kind, dn }) => kind === 'bind' && dn.startsWith('CN=')).length
  t.same(await ad.checkPassword({ address: 'ada@larkfield.example' }, 'x'), { outcome: 'wrong' })
  t.equal(binds(), 1)
  t.same(await ad.checkPassword({ address: 'off@larkfield.example' }, 'x'), { outcome: 'wrong' })
  t.same(await ad.checkPassword({ address: 'ada@larkfield.example' }, ''), { outcome: 'wrong' })
  t.equal(binds(), 1)
})

t.test('each bind result is about the person or about the directory', async t => {
  for (const [code, outcome] of [
    [19, 'wrong'],
    [32, 'wrong'],
    [50, 'wrong'],
    [53, 'wrong'],
    [51, 'unavailable'],
    [52, 'unavailable'],
    [8, 'unavailable'],
    [80, 'unavailable']
  ] as const) {
    const fake = await startFake({
      ...adOptions,
      entries: [...adUnits, adUser('ada', [])],
      script: ({ kind, dn, id }, reply) =>
        kind === 'bind' && dn.startsWith('CN=ada') && reply.raw(message(id, result(0x61, code)))
    })
    t.match(
      await openDirectory(settingsFor(fake.url)).checkPassword({ address: 'ada@larkfield.example' }, 'x'),
      { outcome },
      String(code)
    )
    await fake.stop()
  }
})
