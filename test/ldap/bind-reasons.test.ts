/** E26: the reason for a refused bind is told to the admin who tests, and to a person whose password was correct. */
import t, { type Test } from 'tap'
import { openDirectory } from '../../src/ldap/open-directory.ts'
import { message, result, type Script, startFake, tlv } from '../support/fake-directory.ts'
import { bindDn, dnOf, groups, people, person, settingsFor, startSlapd, suffix } from '../support/slapd.ts'

const entries = [suffix, people, groups].map(dn => ({ dn, attributes: { objectClass: ['organizationalUnit'] } }))
const nora = {
  dn: dnOf('nora'),
  attributes: { objectClass: ['inetOrgPerson'], cn: ['nora'], mail: ['nora@larkfield.example'], entryUUID: ['id-nora'] }
}
const policy = (error: number) =>
  tlv(0x30, tlv(4, '1.3.6.1.4.1.42.2.27.8.5.1'), tlv(4, tlv(0x30, tlv(0x81, Buffer.from([error])))))
const data = (code: string) =>
  `80090308: LdapErr: DSID-0C090400, comment: AcceptSecurityContext error, data ${code}, v4563`

/** Refuses this DN (or accepts it) with a text and the answer of a password policy. */
const answering =
  (who: string, code: number, text: string, error?: number): Script =>
  ({ kind, dn, id }, reply) =>
    kind === 'bind' &&
    dn === who &&
    reply.raw(message(id, result(0x61, code, text), error === undefined ? [] : [policy(error)]))

async function open(t: Test, script: Script) {
  const fake = await startFake({ entries: [...entries, nora], script })
  t.teardown(() => fake.stop())
  return openDirectory(settingsFor(fake.url))
}

t.test('E26: the directory test says what is wrong with the bind account', async t => {
  const cases: [string, number | undefined, RegExp, RegExp][] = [
    [data('525'), undefined, /no such account/, /bind DN/],
    [data('52e'), undefined, /password is wrong/, /again/],
    [data('52E'), undefined, /password is wrong/, /again/],
    [data('530'), undefined, /at this hour/, /hours/],
    [data('531'), undefined, /from here/, /workstation/],
    [data('532'), undefined, /password has expired/, /new password/],
    [data('533'), undefined, /account is disabled/, /Enable/],
    [data('701'), undefined, /account has expired/, /Extend/],
    [data('773'), undefined, /must be changed first/, /change its password/],
    [data('775'), undefined, /account is locked/, /Unlock/],
    ['', 0, /password has expired/, /new password/],
    ['', 1, /account is locked/, /Unlock/],
    ['', undefined, /DN or the password is wrong/, /again/]
  ]
  for (const [text, error, words, advice] of cases) {
    const steps = await (await open(t, answering(bindDn, 49, text, error))).test()
    t.match(steps.at(-1), { name: 'bind', ok: false, text: words, advice }, `${text} ${error}`)
  }
  const reset = await (await open(t, answering(bindDn, 0, '', 2))).test()
  t.match(reset.at(-1), { name: 'bind', ok: false, text: /must be changed first/ }, 'let in, but for nothing else')
})

t.test(
  'E26: a correct password that has expired or must be changed is recognized; any other failure is a wrong password',
  async t => {
    const cases: [number, string, number | undefined, string][] = [
      [49, data('532'), undefined, 'expired'],
      [49, data('773'), undefined, 'must-change'],
      [49, '', 0, 'expired'],
      [0, '', 2, 'must-change'],
      [0, '', undefined, 'right'],
      ...['525', '52e', '530', '531', '533', '701', '775'].map(
        code => [49, data(code), undefined, 'wrong'] as [number, string, undefined, string]
      ),
      [49, '', 1, 'wrong'],
      [49, '', undefined, 'wrong']
    ]
    for (const [code, text, error, outcome] of cases) {
      const directory = await open(t, answering(nora.dn, code, text, error))
      t.match(await directory.checkPassword({ id: 'id-nora' }, 'x'), { outcome }, `${code} ${text} ${error}`)
    }
  }
)

t.test('E26: OpenLDAP’s own password policy, with the correct password and a wrong one', async t => {
  const server = await startSlapd({
    modules: ['ppolicy'],
    database: ['overlay ppolicy', `ppolicy_default "cn=policy,${suffix}"`],
    entries: [
      {
        dn: `cn=policy,${suffix}`,
        ...{
          objectClass: ['device', 'pwdPolicy'],
          cn: 'policy',
          pwdAttribute: 'userPassword',
          pwdMaxAge: '60',
          pwdMustChange: 'TRUE'
        }
      },
      person('old', { userPassword: 'right', pwdChangedTime: '20200101000000Z' }),
      person('reset', { userPassword: 'right', pwdReset: 'TRUE' })
    ]
  })
  t.teardown(() => server.stop())
  const directory = openDirectory(server.settings)
  for (const [name, outcome] of [
    ['old', 'expired'],
    ['reset', 'must-change']
  ]) {
    const address = `${name}@larkfield.example`
    t.match(await directory.checkPassword({ address }, 'right'), { outcome }, name!)
    t.match(await directory.checkPassword({ address }, 'guess'), { outcome: 'wrong' }, `${name}, guessed`)
  }
})
