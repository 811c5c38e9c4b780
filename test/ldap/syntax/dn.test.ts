import fc from 'fast-check'
import { test } from 'tap'
import { dnKey, isBelow, parentOf, withoutUid } from '../../../src/ldap/syntax/dn.ts'

const sameName: [string, string][] = [
  ['UID=Bob, OU=People', 'uid=bob,ou=people'],
  ['cn=Smith\\2C John,o=x', 'cn="Smith, John",O=X'],
  ['cn=Smith\\, John,o=x', 'CN = smith\\2c  john ; O=x'],
  ['2.5.4.3=ada,DC=Example', 'cn=Ada,dc=example'],
  ['OID.2.5.4.11=People', 'organizationalUnitName=people'],
  ['cn=a+sn=b,o=x', 'SN=B+CN=A,o=x'],
  ['cn=#04024869', 'cn=Hi'],
  ['cn=L\\C3\\BAc\\c3\\ada', 'cn=Lúcía'],
  ['cn=Ångström', 'cn=A\u030angstro\u0308m'],
  ['cn=two  words', 'cn=Two Words']
]

const otherNames: [string, string][] = [
  ['cn=a\\,ou=b', 'cn=a,ou=b'],
  ['cn=a\\+sn=b', 'cn=a+sn=b'],
  ['cn=ab', 'cn=a b'],
  ['cn=a,o=x', 'cn=a,o=x,o=x']
]

test('22: DNs are compared by meaning', async t => {
  for (const [one, other] of sameName) t.equal(dnKey(one), dnKey(other), `${one} is ${other}`)
  for (const [one, other] of otherNames) t.not(dnKey(one), dnKey(other), `${one} is not ${other}`)
})

test('22: text that is not a DN has no key', async t => {
  for (const text of [
    'a',
    'cn',
    '=x',
    'cn=a,',
    ',cn=a',
    'cn=a,,o=b',
    'cn="a',
    'cn=a\\',
    'cn=#',
    `cn=${'a'.repeat(9000)}`
  ])
    t.equal(dnKey(text), undefined, text.slice(0, 20))
  t.equal(dnKey(''), '')
})

test('22: the fast way for plain names finds the same key as the slow way', async t => {
  const word = fc.stringMatching(/^[a-zA-Z0-9._@-]{1,8}( [a-zA-Z0-9._@-]{1,8}){0,2}$/)
  const name = fc.constantFrom('cn', 'OU', 'dc', 'Uid', 'o')
  const rdn = fc.tuple(name, word)
  fc.assert(
    fc.property(fc.array(rdn, { minLength: 1, maxLength: 5 }), rdns => {
      const plain = rdns.map(pair => pair.join('=')).join(',')
      // an escape forces the slow way for the same name
      const escaped = rdns.map(([left, right]) => `${left}=\\${hex(right[0]!)}${right.slice(1)}`).join(', ')
      return dnKey(plain) === dnKey(escaped)
    })
  )
  t.pass()
})

const hex = (sign: string) => sign.charCodeAt(0).toString(16).padStart(2, '0')

test('a key is a DN with the same key, for any value', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), value => {
      const escaped = [...Buffer.from(value)].map(byte => `\\${byte.toString(16).padStart(2, '0')}`).join('')
      const key = dnKey(`cn=${escaped},o=x`)
      return key !== undefined && dnKey(key) === key && isBelow(key, 'o=x') && parentOf(key) === 'o=x'
    })
  )
  t.pass()
})

test('being below a base is decided by names, not by letters', async t => {
  const base = dnKey('dc=larkfield,dc=example')!
  t.ok(isBelow(dnKey('uid=a, DC=Larkfield, dc=example')!, base))
  t.ok(isBelow(base, base))
  t.ok(isBelow(dnKey('o=anything')!, ''))
  t.notOk(isBelow(dnKey('uid=a,dc=evildc\\=larkfield,dc=example')!, base))
  t.notOk(isBelow(dnKey('uid=a\\,dc=larkfield,dc=example')!, base), 'the comma belongs to the value')
  t.notOk(isBelow(dnKey('uid=a,xdc=larkfield,dc=example')!, base))
  t.notOk(isBelow(dnKey('dc=example')!, base))
})

test('uniqueMember: the unique identifier is not part of the name', async t => {
  t.equal(withoutUid("cn=a,o=x#'0110'B"), 'cn=a,o=x')
  t.equal(withoutUid('cn=a#b,o=x'), 'cn=a#b,o=x')
})
